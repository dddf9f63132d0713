with certificates as (

    select
        *,
        {{ dbt.datediff(pluvo.today(), 'expires_on', 'day') }} as days_left,
        {{ dbt.datediff(pluvo.today(), 'issued_on', 'day') }} as days_until_issue,
        lead(certificate_id) over (
            partition by user_id, certificate_title
            order by
                issued_on,
                coalesce(expires_on, cast('9999-12-31' as date)),
                certificate_id
        ) as superseded_by
    from {{ ref('lms_certificates') }}

)

select
    certificate_id,
    user_id,
    certificate_title,
    issued_on,
    expires_on,
    case
        when days_until_issue > 0 then 'not_yet_valid'
        when days_left is null then 'no_expiry'
        when days_left < 0 then 'expired'
        when days_left <= {{ var('pluvo_expiring_days') }} then 'expiring'
        else 'valid'
    end as certificate_status,
    days_left,
    superseded_by,
    superseded_by is not null as is_superseded
from certificates
