"""What is wrong with a configuration: sentences that name the setting and show no secret."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from pluvo_client.errors import did_you_mean
from pluvo_client.settings.sources import TAP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError


def problems(config: Mapping[str, Any], schema: Mapping[str, Any], program: str = TAP) -> list[str]:
    """Return what is wrong with `config` by its JSON Schema, one sentence for each setting."""
    # Python reads `NaN` and `Infinity` as numbers; JSON has neither, and limits do not stop them.
    endless = [
        f"setting `{name}` must be a finite number"
        for name, value in config.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
    return endless + [
        sentence
        for error in Draft202012Validator(schema).iter_errors(config)
        for sentence in _sentences(error, schema, program)
    ]


def _sentences(error: ValidationError, schema: Mapping[str, Any], program: str) -> Iterator[str]:
    path = [str(part) for part in error.absolute_path]
    instance: Any = error.instance
    if error.validator == "additionalProperties" and not path:
        known = schema["properties"]
        for name in sorted(set(instance) - set(known)):
            remedy = did_you_mean(name, known) or f"; `{program} --about` lists them all"
            yield f"setting `{name}` is unknown{remedy}"
        return
    name = ".".join(path) or "(configuration)"
    yield f"setting `{name}` {_reason(error, program, secret=_is_secret(path, schema))}"


def _is_secret(path: list[str], schema: Mapping[str, Any]) -> bool:
    return bool(path) and bool(schema["properties"].get(path[0], {}).get("secret"))


def _reason(  # noqa: C901, PLR0911 - one sentence for each kind of limit
    error: ValidationError, program: str, *, secret: bool
) -> str:
    """Say what a value must be; its own text is shown only where it cannot be a secret."""
    limit: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    found = "" if secret or isinstance(error.instance, dict | list) else f", not {error.instance!r}"
    match error.validator:
        case "type":
            kinds = (
                [limit] if isinstance(limit, str) else [kind for kind in limit if kind != "null"]
            )
            article = "an" if kinds[0][0] in "aeiou" else "a"
            return f"must be {article} {' or '.join(kinds)}{found}"
        case "minimum":
            return f"must be at least {limit}{found}"
        case "maximum":
            return f"must be at most {limit}{found}"
        case "exclusiveMinimum":
            return f"must be more than {limit}{found}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "enum":
            values = ", ".join(str(value) for value in limit if value is not None)
            return f"must be one of {values}{found}"
        case "required":
            return f"lacks {', '.join(f'`{name}`' for name in limit if name not in instance)}"
        case "additionalProperties":
            known = schema["properties"]
            unknown = sorted(set(instance) - set(known))
            return f"has no part {', '.join(map(repr, unknown))}{did_you_mean(unknown[0], known)}"
        case "pattern":
            return f"has a character that is not allowed{found}: {_remedy(error)}"
        case "anyOf" | "oneOf":
            return f"has a value of a kind that is not allowed{found}: see `{program} --about`"
        case _:
            return f"is not valid: {error.validator} must be {limit!r}"


def _remedy(error: ValidationError) -> str:
    if error.absolute_path and error.absolute_path[0] == "organization":
        return "give only the name before `.pluvo.com`, or a whole address as `api_url`"
    return "use printable ASCII characters"
