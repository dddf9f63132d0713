"""The streams that the target takes, in the order in which they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_pluvo.streams.certificates import Certificates
from target_pluvo.streams.custom_field_values import CustomFieldValues
from target_pluvo.streams.enrollments import Enrollments
from target_pluvo.streams.group_members import GroupMembers
from target_pluvo.streams.objects import Groups, Trainings
from target_pluvo.streams.training_participants import TrainingParticipants
from target_pluvo.streams.users import Users

if TYPE_CHECKING:
    from target_pluvo.streams.base import StreamWriter

STREAMS: dict[str, type[StreamWriter]] = {
    stream.name: stream
    for stream in (
        Users,
        Groups,
        CustomFieldValues,
        GroupMembers,
        Trainings,
        TrainingParticipants,
        Enrollments,
        Certificates,
    )
}
