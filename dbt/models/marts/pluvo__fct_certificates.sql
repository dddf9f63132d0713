with certificates as (

    select
        *,
        {{ pluvo.days_between(pluvo.today(), 'expires_on') }} as days_left,
        issued_on > {{ pluvo.today() }} as is_not_yet_valid
    from {{ ref('pluvo__lms_certificates') }}

),

ranked as (

    -- The one rule for which of several certificates counts: of those issued by today, the one valid
    -- longest, so that renewing early or twice does no harm. Without a user or a title, nothing says
    -- that two certificates belong together.
    select
        *,
        first_value(certificate_id) over (
            partition by
                user_id,
                certificate_title,
                case when user_id is null or certificate_title is null then certificate_id end
            order by
                case when is_not_yet_valid then 1 else 0 end,
                coalesce(expires_on, cast('9999-12-31' as date)) desc,
                issued_on desc,
                certificate_id
            rows between unbounded preceding and unbounded following
        ) as current_certificate_id
    from certificates

)

select
    organization,
    certificate_id,
    user_id,
    certificate_title,
    issued_on,
    expires_on,
    case
        when is_not_yet_valid then 'not_yet_valid'
        when days_left is null then 'no_expiry'
        when days_left < 0 then 'expired'
        when days_left <= {{ var('pluvo_expiring_days') }} then 'expiring'
        else 'valid'
    end as certificate_status,
    days_left,
    certificate_id = current_certificate_id and not is_not_yet_valid as is_current,
    case
        when certificate_id <> current_certificate_id and not is_not_yet_valid
            then current_certificate_id
    end as superseded_by,
    certificate_id <> current_certificate_id and not is_not_yet_valid as is_superseded
from ranked
