select
    members.organization,
    {{ dbt.concat(['members.group_id', "'|'", 'members.user_id', "'|'", 'members.member_role']) }} as membership_id,
    members.group_id,
    members.user_id,
    members.member_role,
    not users.is_archived as is_current
from {{ ref('pluvo__lms_group_members') }} as members
inner join {{ ref('pluvo__lms_groups') }} as user_groups on members.group_id = user_groups.group_id
inner join {{ ref('pluvo', 'pluvo__dim_users') }} as users on members.user_id = users.user_id
