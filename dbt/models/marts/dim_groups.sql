with members as (

    select
        members.group_id,
        count(case when members.member_role = 'participant' then 1 end) as participants,
        count(case when members.member_role = 'manager' then 1 end) as managers
    from {{ ref('lms_group_members') }} as members
    inner join {{ ref('lms_users') }} as users on members.user_id = users.user_id
    where not users.is_archived
    group by members.group_id

)

select
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    user_groups.max_users,
    coalesce(members.participants, 0) as participants,
    coalesce(members.managers, 0) as managers
from {{ ref('lms_groups') }} as user_groups
left join members on user_groups.group_id = members.group_id
