with compliance as (

    select
        user_id,
        min(case when is_compliant then 1 else 0 end) as is_compliant
    from {{ ref('pluvo', 'pluvo__fct_compliance_person') }}
    group by user_id

),

assignments as (

    select
        user_id,
        count(*) as assignments,
        count(case when assignment_status = 'completed' then 1 end) as assignments_completed
    from {{ ref('pluvo', 'pluvo__fct_training_assignments') }}
    where is_current and not coalesce(is_training_archived, false)
    group by user_id

),

results as (

    select
        user_id,
        sum(seconds_spent) as seconds_spent
    from {{ ref('pluvo', 'pluvo__fct_training_status') }}
    group by user_id

),

certificates as (

    select
        user_id
        {%- for days in (30, 60, 90) %},
        count(case when days_left between 0 and {{ days }} then 1 end) as certificates_expiring_{{ days }}
        {%- endfor %}
    from {{ ref('pluvo', 'pluvo__fct_certificates') }}
    where is_current
    group by user_id

)

select
    users.organization,
    users.user_id,
    {{ pluvo.today() }} as reported_on,
    coalesce(users.days_since_login < {{ var('pluvo_inactive_days') }}, false) as is_active,
    compliance.user_id is not null as is_required,
    coalesce(compliance.is_compliant, 0) = 1 as is_compliant,
    coalesce(assignments.assignments, 0) as assignments,
    coalesce(assignments.assignments_completed, 0) as assignments_completed,
    {{ pluvo.hours('results.seconds_spent') }} as hours_spent
    {%- for days in (30, 60, 90) %},
    coalesce(certificates.certificates_expiring_{{ days }}, 0) as certificates_expiring_{{ days }}
    {%- endfor %}
from {{ ref('pluvo', 'pluvo__dim_users') }} as users
left join compliance on users.user_id = compliance.user_id
left join assignments on users.user_id = assignments.user_id
left join results on users.user_id = results.user_id
left join certificates on users.user_id = certificates.user_id
where not users.is_archived
