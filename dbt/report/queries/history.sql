select
    checks.group_id,
    checks.field_value,
    checks.month,
    count(*) as people_required,
    sum(checks.is_compliant) as people_compliant,
    min(checks.is_known) as is_known
from (
    select
        views.group_id,
        views.field_value,
        monthly.month,
        views.user_id,
        min(case when monthly.is_compliant then 1 else 0 end) as is_compliant,
        min(case when monthly.is_membership_known then 1 else 0 end) as is_known
    from views
    inner join pluvo__fct_compliance_monthly as monthly on views.user_id = monthly.user_id
    group by 1, 2, 3, 4
) as checks
group by 1, 2, 3
