select
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    trainings.training_id,
    trainings.training_title,
    trainings.is_archived,
    trainings.trainings_with_title,
    count(members.user_id) as members,
    count(case when assignments.assignment_status in ('in_progress', 'completed') then 1 end) as started,
    count(case when assignments.assignment_status = 'completed' then 1 end) as completed,
    count(case when assignments.is_restarted then 1 end) as restarted,
    count(case when assignments.is_overdue then 1 end) as overdue,
    {{ pluvo.share("count(case when assignments.assignment_status = 'completed' then 1 end)", 'count(members.user_id)') }} as completed_share,
    {{ pluvo.rounded('avg(assignments.progress)') }} as average_progress,
    {{ pluvo.rounded('avg(assignments.score)') }} as average_score,
    {{ pluvo.hours('sum(assignments.seconds_spent)') }} as hours_spent,
    max(assignments.last_completed_on) as last_completed_on
from {{ ref('pluvo__lms_group_trainings') }} as assigned
inner join {{ ref('pluvo', 'pluvo__dim_groups') }} as user_groups on assigned.group_id = user_groups.group_id
inner join {{ ref('pluvo', 'pluvo__dim_trainings') }} as trainings on assigned.training_id = trainings.training_id
left join {{ ref('pluvo', 'pluvo__bridge_group_members') }} as members
    on
        assigned.group_id = members.group_id
        and members.member_role = 'participant'
        and members.is_current
left join {{ ref('pluvo', 'pluvo__fct_training_assignments') }} as assignments
    on
        members.user_id = assignments.user_id
        and assigned.training_id = assignments.training_id
group by
    user_groups.organization,
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    trainings.training_id,
    trainings.training_title,
    trainings.is_archived,
    trainings.trainings_with_title
