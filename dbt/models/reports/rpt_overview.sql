with people as (

    select count(*) as people
    from {{ ref('dim_users') }}
    where not is_archived

),

compliance as (

    select
        count(*) as required,
        count(case when is_compliant then 1 end) as held,
        count(distinct user_id) as people_required,
        count(distinct user_id) - count(distinct case when not is_compliant then user_id end) as people_compliant
    from {{ ref('fct_compliance_person') }}

),

certificates as (

    select
        count(case when certificates.certificate_status = 'expiring' then 1 end) as certificates_expiring,
        count(case when certificates.certificate_status = 'expired' then 1 end) as certificates_expired
    from {{ ref('fct_certificates') }} as certificates
    inner join {{ ref('dim_users') }} as users on certificates.user_id = users.user_id
    where certificates.is_current and not users.is_archived

),

assignments as (

    select
        count(*) as assignments,
        count(case when assignment_status = 'completed' then 1 end) as assignments_completed,
        count(case when is_overdue then 1 end) as assignments_overdue
    from {{ ref('fct_training_assignments') }}
    where is_current and not coalesce(is_training_archived, false)

),

inactive as (

    select
        count(*) as inactive_users,
        count(case when inactivity = 'never_signed_in' then 1 end) as never_signed_in
    from {{ ref('rpt_inactive_users') }}

)

select
    as_of.reported_on,
    as_of.expiring_days,
    as_of.inactive_days,
    people.people,
    compliance.required,
    compliance.held,
    {{ pluvo.share('compliance.held', 'compliance.required') }} as held_share,
    compliance.people_required,
    compliance.people_compliant,
    {{ pluvo.share('compliance.people_compliant', 'compliance.people_required') }} as compliant_share,
    certificates.certificates_expiring,
    certificates.certificates_expired,
    assignments.assignments,
    assignments.assignments_completed,
    {{ pluvo.share('assignments.assignments_completed', 'assignments.assignments') }} as completed_share,
    assignments.assignments_overdue,
    inactive.inactive_users,
    inactive.never_signed_in
from {{ ref('rpt_as_of') }} as as_of
cross join people
cross join compliance
cross join certificates
cross join assignments
cross join inactive
