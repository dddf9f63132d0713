"""The users that the bench server serves: made up, all different, the same in every run."""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

# What every program requests, aliased to the tap's column names; aliases cost a client nothing.
SELECTION = (
    "id ref name email archived archived_at: archivedAt is_active: isActive roles language "
    "last_login: lastLogin invited_on: invitedOn has_password: hasPassword "
    "group_count: groupCount profileImage { profile_image_url: url } extra_fields: extraFields "
    "extra_fields_profile: extraFieldsProfile user_via: userVia model_id: modelId "
    "afas_person_id: afasPersonId afas_employee_id: afasEmployeeId "
    "afas_contact_id: afasContactId afas_connection_id: afasConnectionId"
)

FIRST_NAMES = ("Anna", "Bram", "Chloé", "Daan", "Emma", "Finn", "Güven", "Hanna", "Ivo", "Zoë")
LAST_NAMES = ("de Vries", "Jansen", "van den Berg", "Bakker", "Visser", "Smit", "Öztürk")
MEDIA = "https://media.academy.example.com/profile/"
START = datetime(2020, 1, 1, tzinfo=UTC)


def edge(number: int, *, archived: bool) -> bytes:
    """Return the edge of a user as a Django server writes it: compact, and in ASCII."""
    noise = blake2b(number.to_bytes(8, "big"), digest_size=10).hexdigest()
    name = f"{FIRST_NAMES[number % 10]} {LAST_NAMES[number % 7]}"
    invited = START + timedelta(minutes=number % 2_000_000)
    seen = invited + timedelta(days=number % 400, microseconds=number % 1_000_000 + 1)
    node = {
        # The last group of digits is the user's number, so that the output can be checked.
        "id": f"{noise[:8]}-{noise[8:12]}-4{noise[12:15]}-a{noise[15:18]}-{number:012x}",
        "ref": f"HR-{number:07d}",
        "name": name,
        "email": f"user.{number}@academy.example.com",
        "archived": archived,
        "archived_at": seen.isoformat() if archived else None,
        "is_active": not archived,
        "roles": ["PARTICIPANT", "MANAGER"] if number % 20 == 0 else ["PARTICIPANT"],
        "language": "NL" if number % 3 else "EN",
        "last_login": seen.isoformat() if number % 10 else None,
        "invited_on": invited.isoformat(),
        "has_password": number % 10 != 0,
        "group_count": number % 6,
        "profileImage": {"profile_image_url": f"{MEDIA}{noise}.jpg?signature={noise * 2}"},
        "extra_fields": json.dumps(
            {
                "Department": f"Team {number % 40}",
                "Cost center": noise[:6],
                "Location": "Amsterdam" if number % 4 else "Groningen",
                "Start of contract": invited.date().isoformat(),
            }
        ),
        "extra_fields_profile": json.dumps({"Department": f"Team {number % 40}"}),
        "user_via": ["GROUP"],
        "model_id": f"VXNlck5vZGU6{number}",
        "afas_person_id": f"{number:08d}" if number % 2 else None,
        "afas_employee_id": f"E{number:07d}" if number % 2 else None,
        "afas_contact_id": None,
        "afas_connection_id": None,
    }
    return b'{"node":' + json.dumps(node, separators=(",", ":")).encode() + b"}"


class Rows:
    """Users ready to send: one block of bytes, of which each page is a slice."""

    def __init__(self, total: int, *, first_number: int = 0, archived: bool = False) -> None:
        self._block = bytearray()
        self._starts = array("Q", [0])
        for number in range(first_number, first_number + total):
            self._block += edge(number, archived=archived) + b","
            self._starts.append(len(self._block))

    def page(self, start: int, stop: int) -> bytes | memoryview:
        """Return the edges from `start` up to `stop`, separated by commas."""
        if start >= stop:
            return b""
        return memoryview(self._block)[self._starts[start] : self._starts[stop] - 1]
