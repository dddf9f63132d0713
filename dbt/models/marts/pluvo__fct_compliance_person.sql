with requirements as (

    select
        *,
        row_number() over (
            partition by user_id, required_type, required_title
            order by {{ pluvo.strictest_first() }}
        ) as strictness,
        count(group_id) over (partition by user_id, required_type, required_title) as required_by_groups
    from {{ ref('pluvo', 'pluvo__fct_requirements') }}

)

select
    organization,
    {{ dbt.concat(['user_id', "'|'", 'required_type', "'|'", 'required_title']) }} as compliance_id,
    user_id,
    required_type,
    required_title,
    rule_id,
    required_since,
    due_on,
    requirement_status,
    is_compliant,
    evidence_id,
    obtained_on,
    expires_on,
    days_left,
    required_by_groups
from requirements
where strictness = 1
