{%- set forever = "cast('9999-12-31' as date)" -%}
{%- set group_by = ['user_id', 'certificate_title', 'case when user_id is null or certificate_title is null then certificate_id end'] | join(', ') -%}
with certificates as (

    select
        *,
        coalesce(expires_on, {{ forever }}) as held_through
    from {{ ref('pluvo__lms_certificates') }}
    where
        issued_on <= {{ pluvo.today() }}
        and (expires_on is null or expires_on >= issued_on)

),

compared as (

    select
        *,
        max(held_through) over (
            partition by {{ group_by }}
            order by issued_on, certificate_id
            rows between unbounded preceding and 1 preceding
        ) as held_through_before
    from certificates

),

with_starts as (

    -- A period begins where there was a day without a certificate before it.
    select
        *,
        case
            when held_through_before is null then certificate_id
            when {{ dbt.datediff('held_through_before', 'issued_on', 'day') }} > 1 then certificate_id
        end as begins_with
    from compared

),

numbered as (

    select
        *,
        count(begins_with) over (
            partition by {{ group_by }}
            order by issued_on, certificate_id
            rows between unbounded preceding and current row
        ) as period_number
    from with_starts

)

select
    organization,
    max(begins_with) as period_id,
    user_id,
    certificate_title,
    min(issued_on) as held_from,
    nullif(max(held_through), {{ forever }}) as held_through,
    count(*) as certificates,
    max(held_through) >= {{ pluvo.today() }} as is_held
from numbered
group by
    organization,
    {{ group_by }},
    period_number
