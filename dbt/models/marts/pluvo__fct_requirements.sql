with checks as (

    select
        *,
        row_number() over (
            partition by group_id, user_id, required_type, required_title
            order by {{ pluvo.strictest_first() }}
        ) as strictness
    from {{ ref('pluvo', 'pluvo__int_requirement_checks') }}
    where not is_closed

)

select
    organization,
    {{ dbt.concat(["coalesce(group_id, '*')", "'|'", 'user_id', "'|'", 'required_type', "'|'", 'required_title']) }} as requirement_id,
    group_id,
    user_id,
    required_type,
    required_title,
    rule_id,
    required_since,
    due_on,
    requirement_status,
    {{ pluvo.is_compliant() }} as is_compliant,
    evidence_id,
    obtained_on,
    expires_on,
    days_left
from checks
where strictness = 1
