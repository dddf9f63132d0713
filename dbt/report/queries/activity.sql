select
    views.group_id,
    views.field_value,
    cast(date_trunc('month', activity.day) as date) as month,
    count(case when activity.what = 'completed' then 1 end) as completed,
    count(case when activity.what = 'issued' then 1 end) as issued
from views
inner join (
    select
        user_id,
        'completed' as what,
        completed_on as day
    from pluvo__fct_training_progress
    where is_completed
    union all
    select
        user_id,
        'issued' as what,
        issued_on as day
    from pluvo__fct_certificates
) as activity on views.user_id = activity.user_id
where not views.is_archived and activity.day is not null
group by 1, 2, 3
