with results as (

    -- What was completed after the day that is reported for may not even have begun on that day.
    select *
    from {{ ref('pluvo__lms_training_results') }}
    where completed_on is null or completed_on <= {{ pluvo.today() }}

),

titles as (

    select
        organization,
        training_title,
        count(*) as trainings_with_title,
        min(training_id) as training_id
    from {{ ref('pluvo__lms_trainings') }}
    where training_title is not null
    group by organization, training_title

),

participations as (

    select
        participants.user_id,
        trainings.training_title,
        count(distinct participants.training_id) as trainings,
        min(participants.training_id) as training_id
    from {{ ref('pluvo__lms_training_participants') }} as participants
    inner join {{ ref('pluvo__lms_trainings') }} as trainings
        on participants.training_id = trainings.training_id
    where participants.member_role = 'participant'
    group by participants.user_id, trainings.training_title

)

select
    results.organization,
    results.result_id,
    results.user_id,
    results.training_title,
    -- Of several trainings with one title, a result belongs to the one that the person takes part in.
    case
        when titles.trainings_with_title = 1 then titles.training_id
        when participations.trainings = 1 then participations.training_id
    end as training_id,
    coalesce(titles.trainings_with_title, 0) as trainings_with_title,
    results.completed_on,
    results.completed_on is not null as is_completed,
    -- Zero is zero in any unit, so the unit of progress does not matter.
    results.completed_on is not null
    or coalesce(results.progress, 0) > 0
    or coalesce(results.seconds_spent, 0) > 0 as is_started,
    results.progress,
    results.score,
    results.seconds_spent,
    row_number() over (
        partition by
            results.user_id,
            results.training_title,
            -- Without a user or a title, nothing says that two results belong together.
            case when results.user_id is null or results.training_title is null then results.result_id end
        order by
            case when results.completed_on is null then 0 else 1 end,
            results.completed_on desc,
            results.result_id
    ) = 1 as is_latest
from results
left join titles
    on
        results.training_title = titles.training_title
        and {{ pluvo.same_organization('results', 'titles') }}
left join participations
    on
        results.user_id = participations.user_id
        and results.training_title = participations.training_title
