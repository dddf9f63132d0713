with requirements as (

    -- A requirement may name a group twice, by its ref and by its name.
    select distinct
        user_groups.group_id,
        required.certificate_title
    from {{ ref('required_certificates') }} as required
    inner join {{ ref('lms_groups') }} as user_groups
        on
            required.group_ref_or_name in (user_groups.group_ref, user_groups.group_name)
            or required.group_ref_or_name = '*'

),

best_certificates as (

    -- Of several, the one valid longest counts, so renewing early or twice does no harm.
    select
        *,
        row_number() over (
            partition by user_id, certificate_title
            order by
                coalesce(expires_on, cast('9999-12-31' as date)) desc,
                issued_on desc,
                certificate_id
        ) as preference
    from {{ ref('fct_certificates') }}
    where certificate_status <> 'not_yet_valid'

)

select
    {{ dbt.concat(['members.group_id', "'|'", 'members.user_id', "'|'", 'requirements.certificate_title']) }} as requirement_id,
    members.group_id,
    members.user_id,
    requirements.certificate_title,
    case
        when certificates.certificate_id is null then 'missing'
        when certificates.certificate_status in ('valid', 'no_expiry') then 'held'
        else certificates.certificate_status
    end as requirement_status,
    certificates.certificate_id,
    certificates.issued_on,
    certificates.expires_on,
    certificates.days_left
from requirements
inner join {{ ref('bridge_group_members') }} as members
    on
        requirements.group_id = members.group_id
        and members.member_role = 'participant'
        and members.is_current
left join best_certificates as certificates
    on
        members.user_id = certificates.user_id
        and requirements.certificate_title = certificates.certificate_title
        and certificates.preference = 1
