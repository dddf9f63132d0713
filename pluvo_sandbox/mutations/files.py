"""Mutations of files (page `file-uploads`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pluvo_sandbox.mutations.writer import check, filled

if TYPE_CHECKING:
    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_STORE = "https://files.pluvo.co"
_BUCKET = "https://uploads.pluvo.co"


def upload_file(write: Writer, given: Given) -> Payload:
    """Store a file that came along; of its content the sandbox keeps nothing."""
    return {"ok": True, "file": _insert(write, given["file"].name)}


def create_file(write: Writer, given: Given) -> Payload:
    """Prepare the upload of a file to a storage, which the sandbox does not have."""
    values = given.get("file") or {}
    check(filled(values, "name"))
    file = _insert(write, values["name"])
    return {"file": file, "s3Url": _BUCKET, "s3Data": json.dumps({"key": file["id"]})}


def _insert(write: Writer, name: str) -> Node:
    file_id = write.insert("files", name=name)
    write.change("files", file_id, url=f"{_STORE}/{file_id}/{name}")
    return write.find("files", id=file_id)
