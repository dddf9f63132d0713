with organizations as (

    select distinct organization from {{ ref('pluvo', 'pluvo__dim_users') }}

),

people as (

    select
        organization,
        count(*) as people
    from {{ ref('pluvo', 'pluvo__dim_users') }}
    where not is_archived
    group by organization

),

compliance as (

    select
        organization,
        count(*) as required,
        count(case when requirement_status in ('held', 'expiring') then 1 end) as held,
        count(case when requirement_status = 'in_grace' then 1 end) as in_grace,
        count(distinct user_id) as people_required,
        count(distinct user_id) - count(distinct case when not is_compliant then user_id end) as people_compliant
    from {{ ref('pluvo', 'pluvo__fct_compliance_person') }}
    group by organization

),

certificates as (

    select
        users.organization,
        count(case when certificates.certificate_status = 'expiring' then 1 end) as certificates_expiring,
        count(case when certificates.certificate_status = 'expired' then 1 end) as certificates_expired
    from {{ ref('pluvo', 'pluvo__fct_certificates') }} as certificates
    inner join {{ ref('pluvo', 'pluvo__dim_users') }} as users on certificates.user_id = users.user_id
    where certificates.is_current and not users.is_archived
    group by users.organization

),

assignments as (

    select
        organization,
        count(*) as assignments,
        count(case when assignment_status = 'completed' then 1 end) as assignments_completed,
        count(case when is_overdue then 1 end) as assignments_overdue
    from {{ ref('pluvo', 'pluvo__fct_training_assignments') }}
    where is_current and not coalesce(is_training_archived, false)
    group by organization

),

inactive as (

    select
        organization,
        count(*) as inactive_users,
        count(case when inactivity = 'never_signed_in' then 1 end) as never_signed_in
    from {{ ref('pluvo', 'pluvo__rpt_inactive_users') }}
    group by organization

)

select
    organizations.organization,
    as_of.reported_on,
    as_of.expiring_days,
    as_of.inactive_days,
    coalesce(people.people, 0) as people,
    coalesce(compliance.required, 0) as required,
    coalesce(compliance.held, 0) as held,
    coalesce(compliance.in_grace, 0) as in_grace,
    {{ pluvo.share('compliance.held', 'compliance.required') }} as held_share,
    coalesce(compliance.people_required, 0) as people_required,
    coalesce(compliance.people_compliant, 0) as people_compliant,
    {{ pluvo.share('compliance.people_compliant', 'compliance.people_required') }} as compliant_share,
    coalesce(certificates.certificates_expiring, 0) as certificates_expiring,
    coalesce(certificates.certificates_expired, 0) as certificates_expired,
    coalesce(assignments.assignments, 0) as assignments,
    coalesce(assignments.assignments_completed, 0) as assignments_completed,
    {{ pluvo.share('assignments.assignments_completed', 'assignments.assignments') }} as completed_share,
    coalesce(assignments.assignments_overdue, 0) as assignments_overdue,
    coalesce(inactive.inactive_users, 0) as inactive_users,
    coalesce(inactive.never_signed_in, 0) as never_signed_in
from {{ ref('pluvo', 'pluvo__rpt_as_of') }} as as_of
-- One row without an organization while there is nobody.
left join organizations on true
left join people on {{ pluvo.same_organization('organizations', 'people') }}
left join compliance on {{ pluvo.same_organization('organizations', 'compliance') }}
left join certificates on {{ pluvo.same_organization('organizations', 'certificates') }}
left join assignments on {{ pluvo.same_organization('organizations', 'assignments') }}
left join inactive on {{ pluvo.same_organization('organizations', 'inactive') }}
