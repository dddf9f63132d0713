"""Lists that page in a circle: each ends, or is an error."""

from __future__ import annotations

from pluvo_client.errors import ProtocolError

PATIENCE = 10  # pages in a row, beyond those that brought rows, that may bring none


class CircleWatch:
    """Watches the pages of one pass over a connection; `field` is its name."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._useful = 0
        self._useless = 0

    def note(self, *, news: bool) -> None:
        """Note a page, and whether it brought anything that this pass had not read.

        Raises:
            ProtocolError: too many pages in a row brought nothing.
        """
        self._useful += news
        self._useless = 0 if news else self._useless + 1
        if self._useless > self._useful + PATIENCE:
            msg = (
                f"`{self._field}` gives the same rows again and again, and does not come to an end"
            )
            raise ProtocolError(msg)
