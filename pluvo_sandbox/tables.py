"""The tables of the data, as SQL; `database` says how values are stored in them."""

TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value JSON) WITHOUT ROWID;
CREATE TABLE users (
    id TEXT PRIMARY KEY, modelId TEXT, email TEXT, name TEXT NOT NULL, ref TEXT,
    archived BOOLEAN, archivedAt TEXT, isActive BOOLEAN, roles JSON, profileImage JSON,
    language TEXT, extraFields TEXT, extraFieldsProfile TEXT, hasPassword BOOLEAN,
    afasPersonId TEXT, afasEmployeeId TEXT, afasContactId TEXT, afasConnectionId TEXT,
    invitedOn TEXT, lastLogin TEXT, userVia JSON,
    createdAt TEXT, updatedAt TEXT, jobTitle TEXT, isExternal BOOLEAN
);
CREATE TABLE groups (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, ref TEXT, maxUsers INTEGER, enableChat BOOLEAN,
    isEditable BOOLEAN, permissions TEXT, skills JSON, createdAt TEXT, description TEXT
);
CREATE TABLE group_users (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (groupId, userId)
) WITHOUT ROWID;
CREATE TABLE group_managers (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (groupId, userId)
) WITHOUT ROWID;
CREATE TABLE trainings (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, subtitle TEXT, introduction TEXT, ref TEXT,
    isActive BOOLEAN NOT NULL, archived BOOLEAN NOT NULL, overviewImage JSON, image JSON,
    startDate TEXT, endDate TEXT, estimatedTimeSpent TEXT, showParticipants BOOLEAN,
    showSharedFiles BOOLEAN, enableChat BOOLEAN, portfolioItem JSON, modules JSON,
    rolesForCurrentUser JSON, allConditionsFulfilled BOOLEAN, conditions JSON, nextEvent TEXT,
    progress REAL, createdAt TEXT, updatedAt TEXT, isMandatory BOOLEAN
);
CREATE TABLE training_users (
    id TEXT PRIMARY KEY,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    role TEXT NOT NULL, direct BOOLEAN NOT NULL
);
CREATE TABLE group_trainings (
    groupId TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    PRIMARY KEY (groupId, trainingId)
) WITHOUT ROWID;
CREATE TABLE report (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    relatedObjectType TEXT, relatedObjectId TEXT, title TEXT, progress REAL, score REAL,
    completionDate TEXT, endDate TEXT, timeSpent JSON, attempts INTEGER
);
CREATE TABLE certificates (id TEXT PRIMARY KEY, name TEXT, title TEXT, language TEXT);
CREATE TABLE offers (
    id TEXT PRIMARY KEY, ref TEXT, title TEXT NOT NULL, description TEXT, isActive BOOLEAN,
    archivedAt TEXT, createdAt TEXT, updatedAt TEXT
);
CREATE TABLE offer_events (
    id TEXT PRIMARY KEY,
    offerId TEXT NOT NULL REFERENCES offers ON DELETE CASCADE,
    ref TEXT, title TEXT, type TEXT NOT NULL, maxSubscriptions INTEGER, minSubscriptions INTEGER,
    enrolledCount INTEGER, spotsAvailable INTEGER, waitingList BOOLEAN, closingDate TEXT,
    price TEXT, cancelled BOOLEAN, publish BOOLEAN, accessCourses JSON,
    accessExternalContents JSON, accessScorms JSON, accessVideos JSON, certificateId TEXT,
    scoreThreshold REAL, contentId TEXT, contentType TEXT, isActive BOOLEAN,
    maxParticipants INTEGER, contentTitle TEXT
);
CREATE TABLE offer_event_dates (
    id TEXT PRIMARY KEY,
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    startDate TEXT, endDate TEXT, start TEXT NOT NULL, "end" TEXT
);
CREATE TABLE offer_event_trainers (
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (offerEventId, userId)
) WITHOUT ROWID;
CREATE TABLE offer_event_trainings (
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    trainingId TEXT NOT NULL REFERENCES trainings ON DELETE CASCADE,
    PRIMARY KEY (offerEventId, trainingId)
) WITHOUT ROWID;
CREATE TABLE enrollments (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    offerEventId TEXT NOT NULL REFERENCES offer_events ON DELETE CASCADE,
    status TEXT NOT NULL, enrolledAt TEXT NOT NULL
);
CREATE TABLE late_rows (id TEXT PRIMARY KEY, shows REAL) WITHOUT ROWID;
CREATE TABLE portfolio_items (
    id TEXT PRIMARY KEY,
    userId TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    title TEXT NOT NULL, description TEXT, startDate TEXT NOT NULL, endDate TEXT, files JSON,
    createdAt TEXT, updatedAt TEXT
);
CREATE TABLE extra_categories (
    id TEXT PRIMARY KEY, title TEXT, categoryType TEXT, forModelTypes JSON, extraFields JSON,
    position INTEGER NOT NULL, ref TEXT, archived BOOLEAN NOT NULL
);
CREATE TABLE choice_options (
    id TEXT PRIMARY KEY,
    categoryId TEXT NOT NULL REFERENCES extra_categories ON DELETE CASCADE,
    ref TEXT, stringValue TEXT NOT NULL, color TEXT
);
CREATE TABLE extra_category_values (
    ownerId TEXT NOT NULL,
    categoryId TEXT NOT NULL REFERENCES extra_categories ON DELETE CASCADE,
    __typename TEXT NOT NULL, stringValue TEXT, choiceId TEXT, booleanValue BOOLEAN,
    datetimeValue TEXT
);
CREATE TABLE files (id TEXT PRIMARY KEY, name TEXT, url TEXT);
"""

INDEXES = """
CREATE INDEX users_by_name ON users (archived, name, id);
CREATE INDEX users_by_ref ON users (ref);
CREATE INDEX users_by_email ON users (email);
CREATE INDEX users_by_login ON users (lastLogin);
CREATE INDEX groups_by_name ON groups (name, id);
CREATE INDEX groups_of_user ON group_users (userId);
CREATE INDEX groups_of_manager ON group_managers (userId);
CREATE INDEX certificates_by_title ON certificates (title, id);
CREATE INDEX trainings_by_title ON trainings (title, id);
CREATE INDEX users_of_training ON training_users (trainingId, role, userId);
CREATE INDEX trainings_of_user ON training_users (userId);
CREATE INDEX groups_of_training ON group_trainings (trainingId);
CREATE INDEX report_by_completion ON report (completionDate, id);
CREATE INDEX report_by_type ON report (relatedObjectType, completionDate, id);
CREATE INDEX report_of_user ON report (userId);
CREATE INDEX events_of_offer ON offer_events (offerId);
CREATE INDEX dates_of_event ON offer_event_dates (offerEventId);
CREATE INDEX events_of_trainer ON offer_event_trainers (userId);
CREATE INDEX events_of_training ON offer_event_trainings (trainingId);
CREATE INDEX enrollments_of_user ON enrollments (userId, offerEventId);
CREATE INDEX enrollments_of_event ON enrollments (offerEventId);
CREATE INDEX items_of_user ON portfolio_items (userId);
CREATE INDEX options_of_category ON choice_options (categoryId);
CREATE INDEX values_of_owner ON extra_category_values (ownerId);
CREATE INDEX values_of_category ON extra_category_values (categoryId);
"""
