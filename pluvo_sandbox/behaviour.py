"""How a sandbox behaves, apart from its data: one home for the options of program and command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluvo_sandbox.oauth import SCOPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_sandbox.contract import Variant

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - opens nothing but a sandbox


@dataclass(kw_only=True)
class Behaviour:
    """How a sandbox behaves, apart from its data. By default it does what the API documents.

    Attributes:
        client_id: name of the one API client.
        client_secret: its password.
        scopes: what the client may ask for.
        token_ttl: seconds that a token is valid.
        schema: `documented`, `lean` or `rich`.
        introspection: whether clients may query the schema.
        validation: whether documents are validated against the schema. Without it, fields,
            arguments, types of fragments and enum values that the schema lacks are ignored, and
            no error says so.
        latency: milliseconds that each answer is held back.
        rate_limit: such as `10/s` or `100/m`; None for no limit.
        max_root_fields: how many root fields one operation may have; None for no limit.
        faults: what goes wrong, in the notation of `pluvo_sandbox.faults`.
    """

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    scopes: Sequence[str] = SCOPES
    token_ttl: int = 86400
    schema: Variant = "documented"
    introspection: bool = True
    validation: bool = True
    latency: float = 0
    rate_limit: str | None = None
    max_root_fields: int | None = None
    faults: Sequence[str] = ()
