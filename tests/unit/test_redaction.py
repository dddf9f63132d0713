"""What a server repeats never reaches a log as it is."""

from __future__ import annotations

import re

import pytest
from fake_http import CONFIG, Api, answer, errors
from hypothesis import example, given
from hypothesis import strategies as st

from pluvo_client.errors import PluvoError
from pluvo_client.redaction import _WORDS, redacted, redacted_name

DOCUMENT = 'query { group(id: "Jansen") { users(first: 50) { lastLogin } } }'
NAMES = {"query", "group", "id", "users", "first", "lastLogin"}
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
PUNCTUATION = "\"'`()[]{}$,.;:!?"


@pytest.mark.parametrize(
    "message",
    [
        "An unknown error occurred.",
        "This row could not be read.",
        "Cannot query field 'lastLogin' on type 'PaginatedUsers'.",
        'Cannot query field "users" on type "User".',
        "Insufficient scope: this operation requires portfolio_reports.read",
        "GraphQL introspection is not allowed; group matching query does not exist.",
        "You do not have permission to perform this action",
        "Syntax Error: Expected Name, found '}'.",
    ],
)
def test_what_errors_are_made_of_is_shown(message: str) -> None:
    assert redacted(message, DOCUMENT) == message


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("User Jan Jansen not found", "User … not found"),
        ("user jan not found", "user … not found"),
        ("Will May not found for user Mark", "Will … not found for user …"),
        ("value 'Jansen' of 19-07-1984 at 3.5", "value '…' of … at …"),
        ("one\r\ntwo CRITICAL all is\u2028well\x1b[2J\x00", "one … all is …"),
        ("the error-prone token never-shown.", "the … token …."),
        ("", ""),
    ],
)
def test_all_else_is_not(message: str, shown: str) -> None:
    assert redacted(message, DOCUMENT) == shown


def allowed(core: str) -> bool:
    parts = PART.findall(core)
    return (
        core in {"", "…"} | NAMES | _WORDS
        or re.fullmatch(r"[a-z][a-z_]*\.(read|write)", core) is not None
        or ("".join(parts) == core.replace("_", "") and {part.lower() for part in parts} <= _WORDS)
    )


@given(st.text() | st.lists(st.sampled_from(sorted(_WORDS)) | st.text(), max_size=9).map(" ".join))
@example("Jansen")
@example("a\u0301 \u017fcope \ufb01eld \u0130d")
@example("((((((secret))))))")
@example("....; token")
def test_whatever_a_server_says_only_known_words_come_through(message: str) -> None:
    shown = redacted(message, DOCUMENT)
    assert len(shown) <= 300
    assert shown.replace("…", "").isascii()
    assert not shown or shown.isprintable()
    whole = shown if len(shown) < 300 else shown.rpartition(" ")[0]
    for word in whole.split(" "):
        assert allowed(word.strip(PUNCTUATION)), word
    assert redacted_name(message) == "…" or allowed(message)


SECRETS = [CONFIG["client_secret"], "token-1", "Jan de Vries", "jan@example.com", "line\nbreak"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["message", "code", "content type", "oauth"])
def test_no_place_of_an_answer_repeats_a_secret(
    place: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api = Api()
    header = secret.replace("\n", " ")
    if place == "oauth":
        api.tokens += [answer({"error": secret, "error_description": secret}, 400)]
    api.answers += {
        "message": [errors(f"Bad {secret}; {secret}", "not found") for _ in range(4)],
        "code": [errors("no", code=f"auth {secret}") for _ in range(5)],
        "content type": [answer(b"<html>", 200, f"{header}/html") for _ in range(4)],
        "oauth": [],
    }[place]
    with pytest.raises(PluvoError) as raised:
        api.client().execute("{ users { id } }")
    said = str(raised.value) + caplog.text
    assert secret not in said
    assert not {part for part in re.split(r"[\s@.]", secret) if len(part) > 3} & set(
        re.split(r"[^\w-]+", said.replace(caplog.text, ""))
    )
