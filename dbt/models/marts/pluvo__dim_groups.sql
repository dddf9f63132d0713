with members as (

    select
        group_id,
        count(case when member_role = 'participant' then 1 end) as participants,
        count(case when member_role = 'manager' then 1 end) as managers
    from {{ ref('pluvo', 'pluvo__bridge_group_members') }}
    where is_current
    group by group_id

)

select
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    user_groups.max_users,
    coalesce(members.participants, 0) as participants,
    coalesce(members.managers, 0) as managers
from {{ ref('pluvo__lms_groups') }} as user_groups
left join members on user_groups.group_id = members.group_id
