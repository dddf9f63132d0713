"""What each stream must hold, in plain SQL over the tables of the sandbox.

Nothing here goes through the API or through the code of the tap. JSON text is what the contract
says of lists: no blanks, letters as they are. SQLite has no booleans, so those are named.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support import Row

SQL = {
    "certificates": "SELECT id, name, title FROM certificates",
    "custom_field_values": """
        SELECT
            owner_type, owner_id, owner_ref, c.id AS field_id, c.title AS field_title,
            v.__typename AS value_type, v.stringValue AS string_value,
            v.booleanValue AS boolean_value, v.datetimeValue AS datetime_value,
            o.id AS choice_id, o.ref AS choice_ref, o.stringValue AS choice_value,
            coalesce(o.id, '1') AS value_key, NULL AS other_value
        FROM (
            SELECT 'USER' AS owner_type, id AS owner_id, ref AS owner_ref FROM users
            UNION ALL SELECT 'GROUP', id, ref FROM groups
        )
        JOIN extra_category_values v ON v.ownerId = owner_id
        JOIN extra_categories c ON c.id = v.categoryId
        LEFT JOIN choice_options o ON o.id = v.choiceId
    """,
    "custom_fields": """
        SELECT
            id, title, categoryType AS category_type, json(forModelTypes) AS for_model_types,
            (
                SELECT json_group_array(json_object(
                    'id', o.id, 'ref', ref, 'stringValue', stringValue, 'color', color
                ))
                FROM (
                    SELECT * FROM choice_options WHERE categoryId = extra_categories.id
                    ORDER BY stringValue
                ) o
            ) AS choice_options
        FROM extra_categories
    """,
    "enrollments": """
        SELECT
            id, userId AS user_id, offerEventId AS offer_event_id, status,
            enrolledAt AS enrolled_at
        FROM enrollments
    """,
    "group_members": """
        SELECT g.id AS group_id, g.ref AS group_ref, role, u.id AS user_id, u.ref AS user_ref
        FROM (
            SELECT groupId, userId, 'PARTICIPANT' AS role FROM group_users
            UNION ALL SELECT groupId, userId, 'MANAGER' FROM group_managers
        )
        JOIN groups g ON g.id = groupId
        JOIN users u ON u.id = userId
    """,
    "group_trainings": """
        SELECT
            g.id AS group_id, g.ref AS group_ref,
            t.id AS training_id, t.ref AS training_ref, t.title AS training_title
        FROM group_trainings l
        JOIN groups g ON g.id = l.groupId
        JOIN trainings t ON t.id = l.trainingId
    """,
    "groups": """
        SELECT
            id, ref, name, maxUsers AS max_users,
            (SELECT count(*) FROM group_users WHERE groupId = groups.id) AS user_count,
            (SELECT count(*) FROM group_managers WHERE groupId = groups.id) AS manager_count,
            enableChat AS enable_chat, isEditable AS is_editable, permissions
        FROM groups
    """,
    "issued_certificates": """
        SELECT
            'CERTIFICATE' AS _type, r.id AS _id,
            u.id AS user_id, u.ref AS user_ref, u.name AS user_name, u.email AS user_email,
            r.title, r.completionDate AS completion_date, r.endDate AS end_date
        FROM report r JOIN users u ON u.id = r.userId
        WHERE r.relatedObjectType = 'CERTIFICATE'
        ORDER BY r.id
    """,
    "offer_event_dates": """
        SELECT
            d.id, d.offerEventId AS offer_event_id,
            d.startDate AS start_date, d.endDate AS end_date
        FROM offer_event_dates d
        JOIN offer_events e ON e.id = d.offerEventId
        JOIN offers o ON o.id = e.offerId
        WHERE o.isActive AND o.archivedAt IS NULL
    """,
    "offer_events": """
        SELECT
            e.id, e.offerId AS offer_id, e.ref, e.title, e.type,
            e.maxSubscriptions AS max_subscriptions, e.minSubscriptions AS min_subscriptions,
            e.enrolledCount AS enrolled_count, e.spotsAvailable AS spots_available,
            e.waitingList AS waiting_list, e.closingDate AS closing_date,
            CAST(e.price AS REAL) AS price, e.cancelled, e.publish,
            e.certificateId AS certificate_id, e.scoreThreshold AS score_threshold,
            (
                SELECT json_group_array(id) FROM (
                    SELECT u.id FROM offer_event_trainers l JOIN users u ON u.id = l.userId
                    WHERE l.offerEventId = e.id ORDER BY u.name, u.id
                )
            ) AS trainer_ids,
            (
                SELECT json_group_array(id) FROM (
                    SELECT t.id FROM offer_event_trainings l JOIN trainings t ON t.id = l.trainingId
                    WHERE l.offerEventId = e.id ORDER BY t.title, t.id
                )
            ) AS access_training_ids,
            (
                SELECT json_group_array(value ->> 'id') FROM json_each(e.accessCourses)
            ) AS access_course_ids,
            (
                SELECT json_group_array(value ->> 'id') FROM json_each(e.accessExternalContents)
            ) AS access_external_content_ids,
            (
                SELECT json_group_array(value ->> 'id') FROM json_each(e.accessScorms)
            ) AS access_scorm_ids,
            (
                SELECT json_group_array(value ->> 'id') FROM json_each(e.accessVideos)
            ) AS access_video_ids
        FROM offer_events e
        JOIN offers o ON o.id = e.offerId
        WHERE o.isActive AND o.archivedAt IS NULL
    """,
    # The API gives offers that are open only.
    "offers": """
        SELECT
            id, ref, title, description, isActive AS is_active, archivedAt AS archived_at,
            createdAt AS created_at, updatedAt AS updated_at
        FROM offers
        WHERE isActive AND archivedAt IS NULL
    """,
    "portfolio_items": """
        SELECT
            id, userId AS user_id, title, description, startDate AS start_date,
            endDate AS end_date, json(files) AS files, createdAt AS created_at,
            updatedAt AS updated_at
        FROM portfolio_items
    """,
    "portfolio_report": """
        SELECT
            r.relatedObjectType AS _type, r.id AS _id,
            r.relatedObjectType AS related_object_type,
            u.id AS user_id, u.ref AS user_ref, u.name AS user_name, u.email AS user_email,
            r.title, r.progress, r.score,
            r.completionDate AS completion_date, r.endDate AS end_date,
            r.timeSpent ->> 'days' AS time_spent_days,
            r.timeSpent ->> 'seconds' AS time_spent_seconds
        FROM report r JOIN users u ON u.id = r.userId
        ORDER BY r.id
    """,
    # What a role other than PARTICIPANT is called shows in the API as being among `trainers`.
    "training_participants": """
        SELECT
            t.id AS training_id, t.ref AS training_ref,
            iif(l.role = 'PARTICIPANT', 'PARTICIPANT', 'TRAINER') AS role,
            u.id AS user_id, u.ref AS user_ref
        FROM training_users l
        JOIN trainings t ON t.id = l.trainingId
        JOIN users u ON u.id = l.userId
    """,
    "trainings": """
        SELECT
            id, ref, title, subtitle, introduction, isActive AS is_active, archived,
            startDate AS start_date, endDate AS end_date,
            estimatedTimeSpent AS estimated_time_spent, showParticipants AS show_participants,
            showSharedFiles AS show_shared_files, enableChat AS enable_chat,
            overviewImage ->> 'id' AS overview_image_id,
            overviewImage ->> 'url' AS overview_image_url,
            portfolioItem ->> 'id' AS portfolio_item_id
        FROM trainings
    """,
    "users": """
        SELECT
            id, ref, name, email, archived, archivedAt AS archived_at, isActive AS is_active,
            json(roles) AS roles, language, lastLogin AS last_login, invitedOn AS invited_on,
            hasPassword AS has_password,
            (SELECT count(*) FROM group_users WHERE userId = users.id) AS group_count,
            profileImage ->> 'url' AS profile_image_url, extraFields AS extra_fields,
            extraFieldsProfile AS extra_fields_profile, json(userVia) AS user_via,
            modelId AS model_id, afasPersonId AS afas_person_id,
            afasEmployeeId AS afas_employee_id, afasContactId AS afas_contact_id,
            afasConnectionId AS afas_connection_id
        FROM users
    """,
}

BOOLEANS = {
    "archived",
    "boolean_value",
    "cancelled",
    "enable_chat",
    "has_password",
    "is_active",
    "is_editable",
    "publish",
    "show_participants",
    "show_shared_files",
    "waiting_list",
}

KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SQL, ("id",)),
    "custom_field_values": ("owner_type", "owner_id", "field_id", "value_key"),
    "group_members": ("group_id", "user_id", "role"),
    "group_trainings": ("group_id", "training_id"),
    "sync_log": ("stream", "started_at"),
    "training_participants": ("training_id", "user_id", "role"),
}

# As the contract says: a UUIDv5, in a namespace that is one itself.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "pluvo.com")


def expected(database: Path, stream: str) -> list[Row]:
    """Return the rows of a stream, ordered by key."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(SQL[stream])]
    for row in rows:
        for name in BOOLEANS & row.keys():
            row[name] = row[name] if row[name] is None else bool(row[name])
    if stream in {"issued_certificates", "portfolio_report"}:
        _identify(rows)
    return by_key(stream, rows)


def _identify(rows: list[Row]) -> None:
    """Give each row of the report the id that is made of what it says; equal rows are numbered."""
    seen: Counter[str] = Counter()
    for row in rows:
        del row["_id"]
        parts = [row.pop("_type"), row["user_id"], row["title"], row["completion_date"]]
        key = "\x1f".join(part or "" for part in parts)
        number = seen[key]
        seen[key] += 1
        row["id"] = str(uuid.uuid5(_NAMESPACE, key + (f"\x1f{number}" if number else "")))


def by_key(stream: str, rows: list[Row]) -> list[Row]:
    """Return rows ordered by their key."""
    return sorted(rows, key=lambda row: [row[name] for name in KEYS[stream]])
