"""A local Thought Industries: what a bridge of certificates needs of its REST API.

`pluvo-sandbox thought-industries serve` starts it from a shell, `with ThoughtIndustries() as
sandbox:` inside a program. Nothing here was tested against a real tenant: paths, parameters and
answers are those of the vendor's developer pages.
"""

from pluvo_sandbox.thought_industries.sandbox import ThoughtIndustries

__all__ = ["ThoughtIndustries"]
