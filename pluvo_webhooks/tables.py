"""The tables of the inbox."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

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

# Which children objects had when they were read last, such as the members of a group.
children = Table(
    "children",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("parent_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("member_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("touched", BigInteger, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("seen", BigInteger, nullable=False),  # by which full read
    Index("children_by_member", "stream", "member_id"),
    Index("children_by_touched", "stream", "touched"),
)
