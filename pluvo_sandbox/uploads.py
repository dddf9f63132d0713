"""Requests that carry files: GraphQL multipart requests (page `file-uploads`)."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, NamedTuple

from ariadne import combine_multipart_data
from ariadne.exceptions import HttpBadRequestError


class Upload(NamedTuple):
    """A file that came along with a request."""

    name: str
    content: bytes


def operation_of(content_type: str, body: bytes) -> Any:
    """Return the operation that a request asks for, with its files among the variables.

    Raises:
        ValueError: the body holds none.
    """
    if not content_type.startswith("multipart/form-data"):
        return json.loads(body)
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=HTTP)
    form: dict[str, Any] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="Content-Disposition")
        content = bytes(part.get_payload(decode=True))
        file_name = part.get_filename()
        form[str(name)] = content if file_name is None else Upload(file_name, content)
    operations, places = (json.loads(form.pop(name, b"")) for name in ("operations", "map"))
    try:
        return combine_multipart_data(operations, places, form)
    except HttpBadRequestError as error:
        raise ValueError(str(error)) from error
