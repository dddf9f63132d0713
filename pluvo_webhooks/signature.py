"""The signature of a webhook.

It is Django's `salted_hmac` with SHA-1: the key is the digest of salt and secret. Pluvo's newer
page shows it in plain Base64, older ones make that safe for URLs, without padding.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_URL_SAFE = str.maketrans("+/", "-_", "=")


def is_signed(body: bytes, signature: str, salt: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets made the signature of a body; takes the same time for all."""
    given = signature.encode()
    matches = False
    for secret in secrets:
        key = hashlib.sha1((salt + secret).encode(), usedforsecurity=False).digest()
        plain = b64encode(hmac.digest(key, body, "sha1")).decode()
        for form in (plain, plain.translate(_URL_SAFE)):
            matches |= hmac.compare_digest(form.encode(), given)
    return matches
