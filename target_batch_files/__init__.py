"""A Singer target that keeps the files of BATCH messages: it moves them into a folder, unread.

For whatever reads JSON lines itself, such as DuckDB. A file `<stream>-<start>-<run>-<number>.jsonl`
is there as a whole or not at all, and the state is passed on after the files that it speaks of.
"""
