"""A tap that only has the SDK, to compare start-up times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import Tap
from singer_sdk import typing as th

if TYPE_CHECKING:
    from singer_sdk import Stream


class EmptyTap(Tap):
    """A tap without streams."""

    name = "tap-empty"
    config_jsonschema = th.PropertiesList(th.Property("api_url", th.StringType)).to_dict()

    def discover_streams(self) -> list[Stream]:
        """Return none."""
        return []


if __name__ == "__main__":
    EmptyTap.cli()
