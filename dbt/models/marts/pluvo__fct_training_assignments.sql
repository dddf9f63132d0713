with assignments as (

    select
        members.user_id,
        assigned.training_id,
        'group' as assigned_via
    from {{ ref('pluvo__lms_group_trainings') }} as assigned
    inner join {{ ref('pluvo', 'pluvo__bridge_group_members') }} as members
        on assigned.group_id = members.group_id and members.member_role = 'participant'
    union all
    select
        user_id,
        training_id,
        'participant' as assigned_via
    from {{ ref('pluvo__lms_training_participants') }}
    where member_role = 'participant'

),

people as (

    select
        user_id,
        training_id,
        case
            when min(assigned_via) = max(assigned_via) then min(assigned_via)
            else 'group and participant'
        end as assigned_via
    from assignments
    group by user_id, training_id

)

select
    {{ dbt.concat(['people.user_id', "'|'", 'people.training_id']) }} as assignment_id,
    users.organization,
    people.user_id,
    people.training_id,
    trainings.training_title,
    trainings.trainings_with_title,
    trainings.is_archived as is_training_archived,
    people.assigned_via,
    not users.is_archived as is_current,
    case
        when training_status.is_completed then 'completed'
        when training_status.is_started then 'in_progress'
        else 'not_started'
    end as assignment_status,
    coalesce(training_status.is_restarted, false) as is_restarted,
    trainings.closes_on as due_on,
    trainings.closes_on < {{ pluvo.today() }}
    and not coalesce(training_status.is_completed, false)
    and not coalesce(trainings.is_archived, false)
    and not users.is_archived as is_overdue,
    training_status.last_completed_on,
    training_status.progress,
    training_status.score,
    training_status.seconds_spent
from people
inner join {{ ref('pluvo', 'pluvo__dim_users') }} as users on people.user_id = users.user_id
inner join {{ ref('pluvo', 'pluvo__dim_trainings') }} as trainings on people.training_id = trainings.training_id
left join {{ ref('pluvo', 'pluvo__fct_training_status') }} as training_status
    on
        people.user_id = training_status.user_id
        and trainings.training_title = training_status.training_title
        -- A result whose training is not known counts for each training of its title.
        and coalesce(training_status.training_id, people.training_id) = people.training_id
