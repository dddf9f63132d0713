"""Where settings come from: files, the environment, Meltano."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pluvo_client.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

TAP = "tap-pluvo"


def variable_of(program: str, name: str) -> str:
    """Return the environment variable of a program's setting, such as TAP_PLUVO_CLIENT_ID."""
    return f"{program}_{name}".upper().replace("-", "_")


def read_config(
    sources: Collection[str],
    environment: Mapping[str, str],
    schema: Mapping[str, Any],
    program: str = TAP,
) -> dict[str, Any]:
    """Return the configuration that the options `--config` of a program name.

    A source is the path of a file or `ENV`, which stands for variables and comes after all files.

    Raises:
        ConfigurationError: a file is missing or does not hold a JSON object, or a variable that
            should be JSON is not.
    """
    found: dict[str, Any] = {}
    for source in sources:
        if source != "ENV":
            found |= json_object("config", source)
    if "ENV" in sources:
        found |= from_environment(environment, schema, program)
    return from_meltano(found, schema)


def from_environment(
    environment: Mapping[str, str], schema: Mapping[str, Any], program: str = TAP
) -> dict[str, Any]:
    """Return the settings that variables such as TAP_PLUVO_CLIENT_ID give.

    Strings are taken as they are; numbers, booleans, lists and objects are JSON.

    Raises:
        ConfigurationError: a variable that should be JSON is not.
    """
    found: dict[str, Any] = {}
    for name, definition in schema["properties"].items():
        variable = variable_of(program, name)
        text = environment.get(variable, "")
        if not text:
            continue
        if "string" in definition["type"]:
            found[name] = text
            continue
        try:
            found[name] = json.loads(text)
        except ValueError:
            kind = next(kind for kind in definition["type"] if kind != "null")
            msg = f"environment variable {variable} must be JSON (type {kind})"
            raise ConfigurationError(msg) from None
    return found


def refuse_unknown_variables(
    environment: Mapping[str, str],
    schema: Mapping[str, Any],
    config: Mapping[str, Any],
    program: str = TAP,
) -> None:
    """Refuse variables that look like a setting's, and are none.

    Raises:
        ConfigurationError: there are some; a sentence for each.
    """
    if mistakes := list(_unknown_variables(environment, schema, config, program)):
        raise ConfigurationError("\n".join(mistakes))


def _unknown_variables(
    environment: Mapping[str, str],
    schema: Mapping[str, Any],
    config: Mapping[str, Any],
    program: str,
) -> Iterator[str]:
    """Yield a sentence for each variable that looks like a setting's, and is none.

    Meltano has more of them: its own ones have two underscores, as TAP_PLUVO__SELECT, and those of
    plugins that inherit from this one end in a setting's name, as TAP_PLUVO_FULL_CLIENT_ID. Of each
    part of an object in `config` it makes one, too, as TAP_PLUVO_BATCH_CONFIG_STORAGE_ROOT.
    """
    known = schema["properties"]
    prefix = variable_of(program, "")
    # No settings: the SDK's level of logging, and where `plugin.yml` finds the program.
    others = {f"{prefix}LOGLEVEL", f"{prefix}PIP_URL"}
    endings = tuple(f"_{name}" for name in _parts(dict.fromkeys(known) | dict(config)))
    for variable in sorted(environment):
        if (
            variable.startswith(prefix)
            and "__" not in variable
            and variable not in others
            and not variable.endswith(endings)
        ):
            name = variable.removeprefix(prefix).lower()
            remedy = did_you_mean(name, known) or f": unset it; `{program} --about` lists them all"
            yield f"environment variable {variable} is no setting{remedy}"


def _parts(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give the names, in variables, of the settings and of the parts of those that are objects."""
    for name, value in config.items():
        variable = prefix + re.sub(r"\W", "_", name).upper()
        yield variable
        if isinstance(value, dict):
            yield from _parts(value, f"{variable}_")


def from_meltano(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as it was meant, where Meltano cannot express it.

    A variable without a value arrives as an empty string, and a fraction as a string, since Meltano
    cannot pass on fractions as numbers.
    """
    found = {name: value for name, value in config.items() if value != ""}
    for name, value in found.items():
        definition = schema["properties"].get(name, {})
        if isinstance(value, str) and "number" in definition.get("type", ()):
            with contextlib.suppress(ValueError):  # it is refused for what it is
                found[name] = float(value)
    return found


def json_object(what: str, source: IO[str] | str | None) -> dict[str, Any]:
    """Return the JSON object that a file holds.

    Raises:
        ConfigurationError: the file is missing or does not hold one.
    """
    if source is None:
        return {}
    name = source if isinstance(source, str) else getattr(source, "name", "(unnamed)")
    try:
        text = Path(source).read_text("utf-8") if isinstance(source, str) else source.read()
        found = json.loads(text)
    except OSError as error:
        msg = f"{what}: the file {name!r} cannot be read ({error.strerror})"
        raise ConfigurationError(msg) from None
    except (ValueError, RecursionError) as error:
        # Where, but not what: it may be a secret.
        place = ""
        if isinstance(error, json.JSONDecodeError):
            place = f", see line {error.lineno}, column {error.colno}"
        msg = f"{what}: the file {name!r} is not valid JSON{place}"
        raise ConfigurationError(msg) from None
    if not isinstance(found, dict):
        msg = f"{what}: the file {name!r} must hold a JSON object"
        raise ConfigurationError(msg)
    return found
