with members as (

    select
        group_id,
        count(case when member_role = 'participant' then 1 end) as participants,
        count(case when member_role = 'manager' then 1 end) as managers
    from {{ ref('pluvo', 'pluvo__bridge_group_members') }}
    where is_current
    group by group_id

),

custom_fields as (

{{ pluvo.pivot_custom_fields(ref('pluvo__lms_custom_field_values'), 'group') }}
)

select
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    user_groups.max_users,
    coalesce(members.participants, 0) as participants,
    coalesce(members.managers, 0) as managers
    {%- for column in pluvo.custom_field_columns('group') %},
    custom_fields.{{ column }}
    {%- endfor %}
from {{ ref('pluvo__lms_groups') }} as user_groups
left join members on user_groups.group_id = members.group_id
left join custom_fields on user_groups.group_id = custom_fields._owner_id
