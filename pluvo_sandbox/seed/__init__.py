"""Data as real organizations have it: the same options give the same rows, ids included."""

from pluvo_sandbox.seed.fill import seed
from pluvo_sandbox.seed.plan import Plan
from pluvo_sandbox.seed.source import new_id

__all__ = ["Plan", "new_id", "seed"]
