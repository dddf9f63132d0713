select
    views.group_id,
    views.field_value,
    assignments.training_id,
    max(case when of_group.training_id is not null then 1 else 0 end) = 1 as is_assigned_to_group,
    count(*) as assigned,
    count(case when assignments.assignment_status <> 'not_started' then 1 end) as started,
    count(case when assignments.assignment_status = 'completed' then 1 end) as completed,
    count(case when assignments.is_overdue then 1 end) as overdue
from views
inner join pluvo__fct_training_assignments as assignments on views.user_id = assignments.user_id
left join pluvo__lms_group_trainings as of_group
    on views.group_id = of_group.group_id and assignments.training_id = of_group.training_id
where assignments.is_current and not coalesce(assignments.is_training_archived, false)
group by 1, 2, 3
