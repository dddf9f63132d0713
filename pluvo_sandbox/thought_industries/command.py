"""The command `pluvo-sandbox thought-industries serve`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pluvo_sandbox.ready import announce
from pluvo_sandbox.server import Server, listen, url_of
from pluvo_sandbox.thought_industries.answers import EventShape
from pluvo_sandbox.thought_industries.sandbox import API_KEY
from pluvo_sandbox.thought_industries.service import Service, Settings
from pluvo_sandbox.thought_industries.store import Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def add_options(parser: argparse.ArgumentParser, fault: Callable[[str], str]) -> None:
    """Add the options of the command to a parser; `fault` checks the text of a fault."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add(
        "--port", type=int, default=8766, help="port to listen on (%(default)s); 0 takes a free one"
    )
    add(
        "--users",
        type=int,
        default=1000,
        metavar="N",
        help="number of users, the same people as in a Pluvo sandbox (%(default)s)",
    )
    add("--seed", type=int, default=1, metavar="S", help="same seed, same people (%(default)s)")
    add("--db", type=Path, metavar="FILE", help="keep the data in this file")
    add("--api-key", default=API_KEY, metavar="KEY", help="what opens it (%(default)s)")
    add(
        "--per-minute",
        type=int,
        default=120,
        metavar="N",
        help="answer 429 above this (%(default)s); 0: never",
    )
    add(
        "--burst", type=int, default=20, metavar="N", help="how many may come at once (%(default)s)"
    )
    add(
        "--event-shape",
        choices=get_args(EventShape),
        default="published",
        help="which fields an event has, which no page says (%(default)s)",
    )
    add(
        "--grants-show",
        type=lambda text: None if text == "never" else float(text),
        default=0,
        metavar="SECONDS|never",
        help="when a manual grant shows among the events (%(default)s: at once)",
    )
    add(
        "--ignore-filters",
        action="store_true",
        help="list events of all users and courses, whatever was asked for",
    )
    add(
        "--ignore-per-page",
        action="store_true",
        help="list users 25 to a page, whatever was asked for",
    )
    add("--external-activity", action="store_true", help="have the feature externalActivity")
    add(
        "--refuse-duplicates",
        action="store_true",
        help="answer 409 to a second certificate of one user, resource and day",
    )
    add(
        "--fault",
        action="append",
        default=[],
        dest="faults",
        type=fault,
        metavar="KIND[=VALUE][:WHERE][@N|@N-M|/N]",
        help="make something go wrong, as `pluvo-sandbox serve --help` says (may be repeated); "
        "WHERE is users, certify, recertify, activity or events",
    )
    add("--ready-file", type=Path, metavar="FILE", help="write URL, key and courses here as JSON")


def serve(options: argparse.Namespace) -> None:
    """Serve a tenant until the process is stopped.

    Raises:
        OSError: the port is in use, or the file cannot be written.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(closing(listen(options.host, options.port)))
        path = options.db
        if path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pluvo-sandbox-"))
            path = Path(folder) / "thought-industries.db"
        store = stack.enter_context(closing(Store(str(path))))
        store.fill(options.users, options.seed)
        settings = Settings(
            api_key=options.api_key,
            per_minute=options.per_minute,
            burst=options.burst,
            event_shape=options.event_shape,
            grants_show=options.grants_show,
            ignore_filters=options.ignore_filters,
            ignore_per_page=options.ignore_per_page,
            external_activity=options.external_activity,
            refuse_duplicates=options.refuse_duplicates,
            faults=options.faults,
        )
        courses = store.rows("SELECT title, type, id FROM resources ORDER BY title")
        ready = {
            "url": url_of(listener, tls=False),
            "api_key": options.api_key,
            "db": str(path),
            "resources": {
                row["title"]: {"resource_type": row["type"], "resource_id": row["id"]}
                for row in courses
            },
        }
        sentence = f"Thought Industries sandbox at {ready['url']} (API key {options.api_key})"
        service = Service(store, settings, [])
        Server(service.app, lambda: announce(ready, options.ready_file, sentence)).run([listener])
