from __future__ import annotations

import base64
import json
from random import Random

import pytest
from webhook_support import SECRET, signed

from pluvo_webhooks.signature import is_signed

BODY = json.dumps({"event": "USER_UPDATED", "name": "Zoë"}, ensure_ascii=False).encode()


def check(
    headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)
) -> bool:
    return is_signed(body, headers["X-Signature"], headers["X-Signature-Salt"], secrets)


@pytest.mark.parametrize("url_safe", [False, True])
def test_signatures_of_django_are_accepted_in_both_forms(url_safe: bool) -> None:
    made = [signed(BODY, url_safe=url_safe) for _ in range(200)]
    assert any({*headers["X-Signature"]} & {*"+/-_"} for headers in made)
    assert all(map(check, made))


def test_ten_thousand_wrong_signatures_are_refused() -> None:
    random = Random(1)
    good = signed(BODY)
    for _ in range(10_000):
        digest = bytearray(base64.b64decode(good["X-Signature"]))
        if random.random() < 0.5:
            digest[random.randrange(len(digest))] ^= random.randrange(1, 256)
        else:
            digest = bytearray(random.randbytes(random.choice([20, 20, 32, 0])))
        encode = random.choice([base64.b64encode, base64.urlsafe_b64encode])
        assert not check({**good, "X-Signature": encode(digest).decode()})


def test_a_signature_is_of_one_body_one_salt_and_one_secret() -> None:
    good = signed(BODY)
    assert check(good)
    assert not check(good, BODY + b" ")
    assert not check({**good, "X-Signature-Salt": good["X-Signature-Salt"] + "x"})
    assert not check(good, secrets=("another",))
    assert not check(good, secrets=())


def test_while_the_secret_is_replaced_both_are_accepted() -> None:
    secrets = ("new", "old")
    assert check(signed(BODY, "new"), secrets=secrets)
    assert check(signed(BODY, "old"), secrets=secrets)
    assert not check(signed(BODY, "older"), secrets=secrets)


def test_a_signature_that_is_no_text_of_base64_is_refused() -> None:
    assert not check({**signed(BODY), "X-Signature": "é\udcff".encode("utf-8", "replace").decode()})
