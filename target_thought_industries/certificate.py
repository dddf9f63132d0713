"""A certificate to issue."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate to issue; days are written as 2025-01-31.

    A user has one certificate for a resource and a day of issue, however often it comes and
    whatever its other columns say then.
    """

    user_id: str
    resource_type: str
    resource_id: str
    issued_on: str
    valid_to: str | None
    recertify_on: str | None

    @classmethod
    def from_detail(cls, detail: dict[str, Any]) -> Self:
        """Return the certificate that a ledger's entry is about."""
        return cls(**{name: detail[name] for name in cls.__dataclass_fields__})

    def detail(self) -> dict[str, Any]:
        """Return what a ledger is to keep of it."""
        return asdict(self)

    def certification(self) -> dict[str, Any]:
        """Return the body of `certify`."""
        moments = {
            "issuedAt": f"{self.issued_on}T00:00:00Z",
            # The last day is a day of validity, too.
            "expirationDate": self.valid_to and f"{self.valid_to}T23:59:59Z",
            "recertificationDate": self.recertify_on and f"{self.recertify_on}T00:00:00Z",
        }
        return {
            "userId": self.user_id,
            "resourceType": self.resource_type,
            "resourceId": self.resource_id,
            **{name: moment for name, moment in moments.items() if moment},
        }

    def external_activity(self) -> dict[str, Any]:
        """Return the body of `courseExternalActivity`."""
        return {
            "courseId": self.resource_id,
            "userId": self.user_id,
            "completionDate": f"{self.issued_on}T00:00:00Z",
        }
