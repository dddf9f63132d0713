select
    organization,
    {{ dbt.concat(['user_id', "'|'", 'certificate_title']) }} as compliance_id,
    user_id,
    certificate_title,
    requirement_status,
    requirement_status in ('held', 'expiring') as is_compliant,
    certificate_id,
    issued_on,
    expires_on,
    days_left,
    count(group_id) as required_by_groups
from {{ ref('pluvo', 'pluvo__fct_required_certificates') }}
group by
    organization,
    user_id,
    certificate_title,
    requirement_status,
    certificate_id,
    issued_on,
    expires_on,
    days_left
