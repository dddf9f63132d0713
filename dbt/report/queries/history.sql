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
    from (
        select
            group_id,
            field_value,
            user_id
        from views
        union
        -- Whoever was deleted since has no group or value any more, but is part of the past.
        select
            cast(null as varchar) as group_id,
            cast(null as varchar) as field_value,
            user_id
        from pluvo__fct_compliance_monthly
        where coalesce(organization, '') = '$organization'
    ) as views
    inner join pluvo__fct_compliance_monthly as monthly on views.user_id = monthly.user_id
    group by 1, 2, 3, 4
) as checks
group by 1, 2, 3
