select
    organization,
    enrollment_id,
    user_id,
    event_id,
    event_title,
    event_type,
    offer_id,
    offer_title,
    enrollment_status,
    enrolled_at,
    event_starts_at,
    event_ends_at,
    is_event_cancelled
from {{ ref('pluvo__lms_enrollments') }}
