"""What goes wrong on purpose.

A fault is written `KIND[=VALUE][:WHERE][@N|@N-M|/N]`:

* `WHERE` is `token` for token requests, or the name of a field for GraphQL requests that ask for
  it (`500:paginatedUsers`); without it every GraphQL request is meant.
* `@N` hits the Nth of those requests, `@N-M` the Nth to Mth, `/N` every Nth; without it all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError
from starlette.responses import HTMLResponse, JSONResponse, Response

from pluvo_sandbox.connections import cursor_at, position_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

TOKEN = "token"  # noqa: S105 - the name of a place

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


# ---------- answers of their own ----------


def _too_many(headers: dict[str, str]) -> Response:
    return JSONResponse({"errors": [{"message": "Too many requests."}]}, 429, headers)


_ANSWERS: dict[str, Callable[[float], Response]] = {
    "429": lambda seconds: _too_many({"Retry-After": f"{seconds:g}"}),
    "429-date": lambda seconds: _too_many(
        {"Retry-After": formatdate(time() + seconds, usegmt=True)}
    ),
    "429-bare": lambda _: _too_many({}),
    "409": lambda _: JSONResponse({"errors": [{"message": "Conflict."}]}, 409),
    "500": lambda _: Response("Internal Server Error", 500, media_type="text/plain"),
    "502": lambda _: HTMLResponse(_PAGE.format("502 Bad Gateway"), 502),
    "503": lambda _: Response("Service Unavailable", 503, media_type="text/plain"),
    "html": lambda _: HTMLResponse(_PAGE.format("Maintenance")),
    "auth-error": lambda _: JSONResponse(
        {
            "data": None,
            "errors": [
                {
                    "message": "The access token is not valid.",
                    "extensions": {"code": "AuthenticationError"},
                }
            ],
        }
    ),
    "no-data": lambda _: JSONResponse(
        {"data": None, "errors": [{"message": "An unknown error occurred."}]}
    ),
    "no-token": lambda _: JSONResponse({"token_type": "Bearer", "expires_in": 86400}),
}


# Instead of the answer to a request that was carried out.
_LATE = {"late-502": _ANSWERS["502"], "late-no-data": _ANSWERS["no-data"]}

# ---------- answers that were changed ----------


def _null_node(page: dict[str, Any], _value: float) -> None:
    if page["edges"]:
        page["edges"][-1]["node"] = None


def _partial(page: dict[str, Any], _value: float) -> None:
    if page["edges"]:
        page["edges"][-1]["node"] = GraphQLError("This row could not be read.")


def _empty_page(page: dict[str, Any], _value: float) -> None:
    page["edges"] = []
    page["pageInfo"]["hasNextPage"] = True


def _null_next(page: dict[str, Any], _value: float) -> None:
    page["pageInfo"]["hasNextPage"] = None


def _stuck_cursor(page: dict[str, Any], _value: float) -> None:
    """Let every cursor lead to this same page."""
    before = cursor_at(position_of(page["pageInfo"]["startCursor"], 0) - 1)
    page["pageInfo"] |= {"startCursor": before, "endCursor": before}
    for edge in page["edges"]:
        edge["cursor"] = before


def _wrong_count(page: dict[str, Any], value: float) -> None:
    page["count"] += int(value)


def _short_page(page: dict[str, Any], _value: float) -> None:
    """Leave out the second half; cursors that follow it lose nothing."""
    half = (len(page["edges"]) + 1) // 2
    if half < len(page["edges"]):
        del page["edges"][half:]
        page["pageInfo"] |= {"hasNextPage": True, "endCursor": page["edges"][-1]["cursor"]}


def _duplicate_rows(page: dict[str, Any], _value: float) -> None:
    page["edges"] += page["edges"][-1:]


_CHANGES: dict[str, Callable[[dict[str, Any], float], None]] = {
    "null-node": _null_node,
    "partial": _partial,
    "empty-page": _empty_page,
    "null-next": _null_next,
    "stuck-cursor": _stuck_cursor,
    "wrong-count": _wrong_count,
    "short-page": _short_page,
    "duplicate-rows": _duplicate_rows,
}

# ---------- all kinds, with what they do, for the command's help ----------

KINDS = {
    "429": "too many requests; retry after VALUE seconds (1)",
    "429-date": "the same, with an HTTP date VALUE seconds ahead (1)",
    "429-bare": "the same, without Retry-After",
    "409": "conflict, whether there is one or not",
    "500": "internal server error",
    "502": "bad gateway, with an HTML body",
    "503": "service unavailable",
    "html": "status 200 with an HTML body",
    "refused": "the connection breaks and new ones are refused for VALUE seconds (0.5)",
    "late-502": "the request is carried out, and the answer is a bad gateway",
    "late-no-data": "the request is carried out, and `data` is null, with `errors`",
    "reset": "the request is carried out, and the connection is reset before the answer",
    "reset-body": "the connection is reset in the middle of the body",
    "trickle": "the body comes byte by byte, one every VALUE seconds (0.5)",
    "endless": "the body never ends: 64 KiB every VALUE seconds (0: as fast as they are read)",
    "gzip": "the body is packed by gzip and unpacks to VALUE MiB more (1024)",
    "truncated": "the body is half of a JSON document",
    "slow": "the answer takes VALUE seconds longer (60)",
    "revoked": "all tokens given out so far are revoked before the request: 401",
    "expired": "all tokens given out so far expire before the request: 401",
    "auth-error": "status 200 and an error with the code AuthenticationError",
    "no-data": "`data` is null, with `errors`",
    "partial": "the last row of a page is null, with `errors`",
    "null-node": "the last row of a page is null",
    "empty-page": "a page without rows that says hasNextPage",
    "null-next": "hasNextPage is null",
    "stuck-cursor": "cursors lead to the same page again",
    "wrong-count": "`count` is VALUE too high (1); may be negative",
    "short-page": "a page has half of its rows, and its endCursor fits",
    "duplicate-rows": "the last row of a page comes twice",
    "not-found": "VALUE objects of a request (1) are not found, although they exist",
    "yesterday": "the schema is that of a server which was not updated yet (see --yesterday-lacks)",
    "silent": "generateCertificate is carried out, and answers without a word about anybody",
    "silent-refusal": "generateCertificate is not carried out, and answers without a word",
    "no-token": "a token answer without access_token",
}
_DEFAULTS = {"refused": 0.5, "slow": 60.0, "trickle": 0.5, "endless": 0.0, "gzip": 1024.0}
_SYNTAX = re.compile(
    r"(?P<kind>[a-z0-9-]+)(?:=(?P<value>-?[0-9.]+))?(?::(?P<where>\w+))?"
    r"(?:@(?P<first>[1-9][0-9]*)(?:-(?P<last>[1-9][0-9]*))?|/(?P<every>[1-9][0-9]*))?"
)


@dataclass
class Fault:
    """Something that goes wrong, and when.

    Attributes:
        kind: one of `KINDS`.
        value: seconds or a number, where the kind takes one.
        where: `token`, a field, or None for every GraphQL request.
        first: number of the first request it hits, counted from 1.
        last: number of the last one; None for no end.
        step: hits every so many requests from `first` on.
        seen: number of requests so far that it might have hit.
    """

    kind: str
    value: float
    where: str | None
    first: int = 1
    last: int | None = None
    step: int = 1
    seen: int = 0

    @classmethod
    def parse(cls, text: str, kinds: Collection[str] = KINDS) -> Fault:
        """Read a fault of one of these kinds.

        Raises:
            ValueError: the text is not a fault.
        """
        match = _SYNTAX.fullmatch(text)
        if match is None or match["kind"] not in kinds:
            message = f"{text!r} is not a fault; write KIND[=VALUE][:WHERE][@N|@N-M|/N], where "
            message += f"KIND is one of {', '.join(kinds)}"
            raise ValueError(message)
        kind, where, every, first = match["kind"], match["where"], match["every"], match["first"]
        return cls(
            kind=kind,
            value=float(match["value"] or _DEFAULTS.get(kind, 1)),
            where=TOKEN if kind == "no-token" else where,
            first=int(every or first or 1),
            last=int(match["last"] or first) if first else None,
            step=int(every or 1),
        )

    def hits(self, names: Collection[str]) -> bool:
        """Count a request, and tell whether this fault hits it.

        Args:
            names: the fields that the request asks for; only `token` for a token request.
        """
        if self.where not in names and (self.where is not None or TOKEN in names):
            return False
        self.seen += 1
        if self.seen < self.first or (self.last is not None and self.seen > self.last):
            return False
        return (self.seen - self.first) % self.step == 0

    def answer(self, *, late: bool = False) -> Response | None:
        """Return the answer that comes instead of the real one, if there is one.

        Args:
            late: whether the request was carried out.
        """
        make = (_LATE if late else _ANSWERS).get(self.kind)
        return make(self.value) if make else None

    def change(self, name: str, page: dict[str, Any], *, nested: bool) -> None:
        """Change a page of the connection `name`, if this fault is about it."""
        change = _CHANGES.get(self.kind)
        if change and (self.where == name or (self.where is None and not nested)):
            change(page, self.value)
