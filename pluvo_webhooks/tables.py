"""The tables of the inbox."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

# Of the tables below; raised with each change that an older program can't live with.
SCHEMA_VERSION = 1

metadata = MetaData()

# One row, which also says that the database is ours. Whoever adds events locks it first.
pluvo_inbox = Table(
    "pluvo_inbox",
    metadata,
    Column("version", Integer, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("purged_to", BigInteger, nullable=False),
    Column("checked_at", Text),
)

# Times are text in UTC and of one width, so that they sort as they passed.
events = Table(
    "events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event", Text),
    Column("object_type", Text),
    Column("object_id", Text),
    Column("ref", Text),
    Column("sent_at", Text),
    Column("received_at", Text, nullable=False, index=True),
    Column("payload", Text, nullable=False),
    Column("delivery", Text, nullable=False, unique=True),
)

# How far each program that reads the inbox has got.
consumers = Table(
    "consumers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("recorded_at", Text, nullable=False),
)

# Which children an object had when a consumer last read it, such as the members of a group.
children = Table(
    "children",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("parent_id", Text, primary_key=True),
    Column("child_keys", Text, nullable=False),
)
