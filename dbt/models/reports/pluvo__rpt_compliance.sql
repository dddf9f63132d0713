select
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    required.required_type,
    required.required_title,
    count(*) as members,
    count(case when required.requirement_status in ('held', 'expiring') then 1 end) as held,
    count(case when required.requirement_status = 'expiring' then 1 end) as expiring,
    count(case when required.requirement_status = 'in_grace' then 1 end) as in_grace,
    count(case when required.requirement_status = 'expired' then 1 end) as expired,
    count(case when required.requirement_status = 'missing' then 1 end) as missing,
    {{ pluvo.share("count(case when required.requirement_status in ('held', 'expiring') then 1 end)", 'count(*)') }} as held_share
from {{ ref('pluvo', 'pluvo__fct_requirements') }} as required
inner join {{ ref('pluvo', 'pluvo__dim_groups') }} as user_groups on required.group_id = user_groups.group_id
group by
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    required.required_type,
    required.required_title
