with event_dates as (

    select
        organization,
        offer_event_id,
        min(start_date) as starts_at,
        max(end_date) as ends_at
    from {{ ref('pluvo', 'stg_pluvo__offer_event_dates') }}
    group by organization, offer_event_id

)

select
    enrollments.organization,
    {{ pluvo.global_id('enrollments.id', 'enrollments.organization') }} as enrollment_id,
    {{ pluvo.global_id('enrollments.user_id', 'enrollments.organization') }} as user_id,
    {{ pluvo.global_id('enrollments.offer_event_id', 'enrollments.organization') }} as event_id,
    lower(enrollments.status) as enrollment_status,
    enrollments.enrolled_at,
    events.title as event_title,
    lower(events.type) as event_type,
    events.cancelled as is_event_cancelled,
    event_dates.starts_at as event_starts_at,
    event_dates.ends_at as event_ends_at,
    {{ pluvo.global_id('offers.id', 'offers.organization') }} as offer_id,
    offers.title as offer_title
from {{ ref('pluvo', 'stg_pluvo__enrollments') }} as enrollments
left join {{ ref('pluvo', 'stg_pluvo__offer_events') }} as events
    on enrollments.offer_event_id = events.id and {{ pluvo.same_organization('enrollments', 'events') }}
left join event_dates
    on enrollments.offer_event_id = event_dates.offer_event_id and {{ pluvo.same_organization('enrollments', 'event_dates') }}
left join {{ ref('pluvo', 'stg_pluvo__offers') }} as offers
    on events.offer_id = offers.id and {{ pluvo.same_organization('events', 'offers') }}
