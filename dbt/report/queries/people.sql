select
    views.group_id,
    views.field_value,
    users.days_since_login is not null as has_login,
    -- The last day of a step; null for longer ago.
    case
        $steps
    end as step,
    users.days_since_invitation < $inactive_days as is_just_invited,
    count(*) as people,
    count(inactive.user_id) as inactive_users
from views
inner join pluvo__dim_users as users on views.user_id = users.user_id
left join pluvo__rpt_inactive_users as inactive on views.user_id = inactive.user_id
where not views.is_archived
group by 1, 2, 3, 4, 5
