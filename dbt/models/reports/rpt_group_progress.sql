with assigned as (

    -- By title, because only the title links a result to its training.
    select distinct
        assigned.group_id,
        trainings.training_title,
        trainings.trainings_with_title
    from {{ ref('lms_group_trainings') }} as assigned
    inner join {{ ref('dim_trainings') }} as trainings
        on assigned.training_id = trainings.training_id

)

select
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    assigned.training_title,
    assigned.trainings_with_title,
    count(members.user_id) as members,
    count(case when training_status.is_started then 1 end) as started,
    count(case when training_status.is_completed then 1 end) as completed,
    {{ pluvo.share('count(case when training_status.is_completed then 1 end)', 'count(members.user_id)') }} as completed_share,
    {{ pluvo.rounded('avg(training_status.progress)') }} as average_progress,
    {{ pluvo.rounded('avg(training_status.score)') }} as average_score,
    {{ pluvo.hours('sum(training_status.seconds_spent)') }} as hours_spent,
    max(training_status.last_completed_on) as last_completed_on
from assigned
inner join {{ ref('dim_groups') }} as user_groups on assigned.group_id = user_groups.group_id
left join {{ ref('bridge_group_members') }} as members
    on
        assigned.group_id = members.group_id
        and members.member_role = 'participant'
        and members.is_current
left join {{ ref('fct_training_status') }} as training_status
    on
        members.user_id = training_status.user_id
        and assigned.training_title = training_status.training_title
group by
    user_groups.group_id,
    user_groups.group_ref,
    user_groups.group_name,
    assigned.training_title,
    assigned.trainings_with_title
