"""Small organizations whose schema may differ from the documented one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reliability_support import Watched

if TYPE_CHECKING:
    from support import Result

    from pluvo_sandbox.contract import Variant


def organization(schema: Variant, **options: Any) -> Watched:
    return Watched(users=20, trainings=3, groups=3, portfolio=60, schema=schema, **options)


def warnings(result: Result) -> list[str]:
    """Return the warnings of a run, but for those of requests that were sent again."""
    found = re.findall(r"\| WARNING  \| [\w.-]+ +\| (.*)", result.stderr)
    return [text for text in found if "; trying again in " not in text]
