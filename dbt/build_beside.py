"""Run `dbt build` beside the DuckDB file, and let the result take its place when all went well.

DuckDB lets nobody write to a file that anyone has open, be it only to read. So dbt works on a copy,
in the folder building/ beside the file. Whoever has the file open goes on reading what was there.
If dbt fails, the file stays as it is, and the next build begins with it again.

Then files that were merged and are older than PLUVO_KEEP_DAYS days are removed.
Arguments are those of `dbt build`. The file is that of PLUVO_DUCKDB_PATH.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from prune import days, prune

if TYPE_CHECKING:
    from collections.abc import Iterator

DBT = Path(sys.executable).with_name("dbt")
# dbt keeps five old ones. All that it says is in the log of the run, too.
BRIEF_LOG = {"DBT_LOG_FILE_MAX_BYTES": "1000000"}


def main() -> None:
    """Build, replace, prune; end with the exit code of dbt if it is not 0."""
    # As an exception, so that dbt ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        keep_days = days(os.environ.get("PLUVO_KEEP_DAYS") or "30")
    except ValueError:
        sys.exit("PLUVO_KEEP_DAYS must be a number of days, at least 1.")
    published = Path(os.environ["PLUVO_DUCKDB_PATH"]).resolve()
    # Of the same name, since views name the database, and on the same disk, to be renamed.
    building = published.parent / "building" / published.name
    building.parent.mkdir(parents=True, exist_ok=True)
    with only_one(building.parent) as lock:
        copy(published, building)
        done = subprocess.run(
            [DBT, "build", *sys.argv[1:]],
            check=False,
            env=os.environ | {"PLUVO_DUCKDB_PATH": str(building), **BRIEF_LOG},
            pass_fds=[lock],
        )
        if done.returncode:
            if published.exists():
                print(f"{published} stays as it was; what was built is in {building}.")
            sys.exit(done.returncode)
        publish(building, published)
        prune(published, Path(os.environ["PLUVO_JSONL_DIR"]), keep_days)


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Refuse to build while another build is under way; give the lock, for dbt to hold it, too.

    Raises:
        SystemExit: Another build is under way.
    """
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"Another build is under way in {folder}: wait for it to end."
            raise SystemExit(message) from error
        yield lock.fileno()


def copy(published: Path, building: Path) -> None:
    """Copy the database, with what was not yet written into its file.

    Raises:
        SystemExit: It cannot be read, as someone writes to it, or there is no room for a copy.
    """
    for path in (building, write_ahead_log(building)):
        path.unlink(missing_ok=True)
    if not published.exists():
        return
    try:
        # Held open, so that nobody begins to write to it meanwhile.
        with duckdb.connect(published, read_only=True):
            for source, target in (
                (published, building),
                (write_ahead_log(published), write_ahead_log(building)),
            ):
                if source.exists():
                    shutil.copy(source, target)
    except duckdb.Error as error:
        message = f"{published} cannot be copied, to build beside it: {error}"
        raise SystemExit(message) from error
    except OSError as error:
        message = f"{published} cannot be copied, to build beside it: {error.strerror}"
        raise SystemExit(message) from error


def publish(building: Path, published: Path) -> None:
    """Let the new database take the place of the old one, all at once."""
    with duckdb.connect(building) as connection:
        connection.execute("checkpoint")
    write_ahead_log(published).unlink(missing_ok=True)  # the new database has it in it
    building.replace(published)


def write_ahead_log(database: Path) -> Path:
    """Return where DuckDB keeps what it has not yet written into a file."""
    return database.with_name(f"{database.name}.wal")


if __name__ == "__main__":
    main()
