"""What tap and targets use of the SDK beyond its documentation, pinned.

A release of the SDK that renames or reshapes one of these fails here first, by name, instead of
somewhere in a sync. `make canary` runs this with the newest release.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from singer_sdk import Sink, Stream, Tap, Target
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import BaseSingerReader, PluginBase
from singer_sdk.singerlib.catalog import Metadata, MetadataMapping
from singer_sdk.streams._state import StreamStateManager

PACKAGES = [
    Path(__file__).parents[2] / name
    for name in ("pluvo_singer", "tap_pluvo", "target_pluvo", "target_thought_industries")
]

# Overridden, so that the SDK calls ours: name, and the parameters it calls with.
OVERRIDDEN = {
    (Stream, "_generate_record_messages"): ["self", "record"],
    (Stream, "_increment_stream_state"): ["self", "latest_record", "context"],
    (Stream, "_write_starting_replication_value"): ["self", "context"],
    (Stream, "get_replication_key_signpost"): ["self", "context"],
    (Stream, "generate_child_contexts"): ["self", "record", "context"],
    (Stream, "apply_catalog"): ["self", "catalog"],
    (Stream, "get_records"): ["self", "context"],
    (PluginBase, "_setup_signal_handlers"): ["self"],
    (Tap, "_validate_config"): ["self", "raise_errors"],
    (Target, "_validate_config"): ["self", "raise_errors"],
    (Target, "_handle_termination"): ["self", "signum", "frame"],
    (Target, "_write_state_message"): ["self", "state"],
    (Target, "process_endofpipe"): ["self"],
    (Target, "append_builtin_config"): ["config_jsonschema"],
    (Sink, "_validate_and_parse"): ["self", "record"],
    (Tap, "_handle_termination"): ["self", "signum", "frame"],
    (Tap, "setup_mapper"): ["self"],
    (Tap, "load_state"): ["self", "state"],
    (Tap, "discover_streams"): ["self"],
    (Target, "_process_state_message"): ["self", "message_dict"],
    (Target, "_process_batch_message"): ["self", "message_dict"],
    (Target, "_process_record_message"): ["self", "message_dict"],
    (Target, "_process_activate_version_message"): ["self", "message_dict"],
    (Target, "get_sink_class"): ["self", "stream_name"],
    (Sink, "get_validator"): ["self"],
}
# Called by us.
CALLED = {
    (Stream, "_write_state_message"): ["self"],
    (Stream, "_write_schema_message"): ["self"],
    (Stream, "_write_record_message"): ["self", "record"],
    (Stream, "_write_activate_version_message"): ["self", "full_table_version"],
    (Tap, "_reset_state_progress_markers"): ["self"],
    (PluginBase, "setup_mapper"): ["self"],
    (Target, "_assert_sink_exists"): ["self", "stream_name"],
    (CustomStreamMap, "_eval"): ["self", "expr", "expr_parsed", "record", "property_name"],
    (PluginBase, "append_builtin_config"): ["config_jsonschema"],
    (BaseSingerReader, "_assert_line_requires"): ["self", "message_dict", "requires"],
}
# Attributes that `__init__` sets and that we read or set.
ATTRIBUTES = {
    Stream: {"_mask", "_metadata", "_stream_version", "_tap_input_catalog"},
    PluginBase: {"_config"},
    StreamStateManager: {"is_flushed"},
    Target: {"_sinks_active", "_sinks_to_clear"},
}


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, wanted) for (owner, name), wanted in (OVERRIDDEN | CALLED).items()],
    ids=[f"{owner.__name__}.{name}" for owner, name in OVERRIDDEN | CALLED],
)
def test_a_method_has_the_parameters_that_are_expected(
    owner: type, name: str, parameters: list[str]
) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


@pytest.mark.parametrize(
    ("owner", "name"),
    [(owner, name) for owner, names in ATTRIBUTES.items() for name in sorted(names)],
)
def test_an_attribute_is_set_when_an_object_is_made(owner: type, name: str) -> None:
    source = inspect.getsource(vars(owner)["__init__"])
    assert f"self.{name}:" in source or f"self.{name} =" in source


def test_the_target_waits_for_the_last_row() -> None:
    assert "_MAX_RECORD_AGE_IN_MINUTES" in inspect.getsource(Target._handle_max_record_age)
    assert "is_full" in inspect.getsource(Target._process_record_message)


def test_selection_and_metadata_are_cached_where_they_are_expected() -> None:
    """`mask` and `metadata` fill these caches once, and ours add to them."""
    for name, cache in (("mask", "_mask"), ("metadata", "_metadata")):
        assert f"self.{cache} = " in inspect.getsource(getattr(Stream, name).fget)
    assert {"AUTOMATIC", "UNSUPPORTED"} <= Metadata.InclusionType.__members__.keys()
    assert hasattr(MetadataMapping, "resolve_selection")


def names_of(owner: type) -> set[str]:
    """Return all names of a class of the SDK, and of what its `__init__` sets."""
    return {*dir(owner), *re.findall(r"self\.(\w+)", inspect.getsource(vars(owner)["__init__"]))}


def test_no_other_private_name_of_the_sdk_is_used() -> None:
    owners = (Sink, Stream, Tap, Target, PluginBase, StreamStateManager)
    sdk = {
        name
        for name in set().union(*map(names_of, owners))
        if name.startswith("_") and not name.startswith("__")
    }
    pinned = {name for _, name in OVERRIDDEN | CALLED} | set().union(*ATTRIBUTES.values())
    pinned.add("_tap")  # the tap that a stream belongs to
    pinned.add("_MAX_RECORD_AGE_IN_MINUTES")  # after which the SDK would write by itself
    sources = {
        str(path): path.read_text("utf-8") for folder in PACKAGES for path in folder.rglob("*.py")
    }
    for path, source in sources.items():
        if "singer_sdk" not in source:
            continue
        tree = ast.parse(source)
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert used & sdk <= pinned, path
