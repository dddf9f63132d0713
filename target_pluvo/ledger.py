"""The ledger of certificates, which only runs that issue some need."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluvo_client.errors import ConfigurationError, PluvoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_singer.ledger import Ledger


@contextmanager
def open_ledger(url: str) -> Iterator[Ledger]:
    """Open the ledger at a SQLAlchemy URL for the length of a block.

    Raises:
        PluvoError: it cannot be used.
    """
    try:
        from pluvo_singer.ledger import Ledger, LedgerError  # noqa: PLC0415 - needs an extra
    except ModuleNotFoundError as error:
        msg = (
            f"stream certificates_to_issue needs {error.name}: install the extra, "
            "`pip install 'tap-pluvo[targets]'`"
        )
        raise ConfigurationError(msg) from error
    try:
        with Ledger.open(url) as ledger:
            yield ledger
    except LedgerError as error:
        raise PluvoError(str(error)) from error
