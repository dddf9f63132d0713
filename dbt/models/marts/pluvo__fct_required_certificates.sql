with requirements as (

    -- A requirement may name a group twice, by its ref and by its name.
    select distinct
        user_groups.organization,
        user_groups.group_id,
        required.certificate_title
    from {{ ref('pluvo__required_certificates') }} as required
    inner join {{ ref('pluvo__lms_groups') }} as user_groups
        on
            required.group_ref_or_name in (user_groups.group_ref, user_groups.group_name)
            or required.group_ref_or_name = '*'

),

participants as (

    select
        group_id,
        user_id
    from {{ ref('pluvo', 'pluvo__bridge_group_members') }}
    where member_role = 'participant' and is_current

),

required as (

    select
        requirements.organization,
        participants.group_id,
        participants.user_id,
        requirements.certificate_title
    from requirements
    inner join participants on requirements.group_id = participants.group_id
    union all
    -- What everyone must hold is also required of people without a group.
    select distinct
        users.organization,
        cast(null as {{ dbt.type_string() }}) as group_id,
        users.user_id,
        for_everyone.certificate_title
    from {{ ref('pluvo__required_certificates') }} as for_everyone
    inner join {{ ref('pluvo', 'pluvo__dim_users') }} as users
        on
            for_everyone.group_ref_or_name = '*'
            and not users.is_archived
            and coalesce(users.is_participant, true)
    where users.user_id not in (select participants.user_id from participants)

)

select
    {{ dbt.concat(["coalesce(required.group_id, '*')", "'|'", 'required.user_id', "'|'", 'required.certificate_title']) }} as requirement_id,
    required.organization,
    required.group_id,
    required.user_id,
    required.certificate_title,
    case
        when certificates.certificate_id is null then 'missing'
        when certificates.certificate_status in ('valid', 'no_expiry') then 'held'
        else certificates.certificate_status
    end as requirement_status,
    certificates.certificate_id,
    certificates.issued_on,
    certificates.expires_on,
    certificates.days_left
from required
left join {{ ref('pluvo', 'pluvo__fct_certificates') }} as certificates
    on
        required.user_id = certificates.user_id
        and required.certificate_title = certificates.certificate_title
        and certificates.is_current
