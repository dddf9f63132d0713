"""Data as real organizations have it: the same options give the same rows, ids included."""

from pluvo_sandbox.ids import new_id
from pluvo_sandbox.seed.fill import seed
from pluvo_sandbox.seed.plan import Plan

__all__ = ["Plan", "new_id", "seed"]
