with titles as (

    select
        training_title,
        count(*) as trainings_with_title,
        min(training_id) as training_id
    from {{ ref('lms_trainings') }}
    where training_title is not null
    group by training_title

)

select
    results.result_id,
    results.user_id,
    results.training_title,
    case when titles.trainings_with_title = 1 then titles.training_id end as training_id,
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
        partition by results.user_id, results.training_title
        order by
            case when results.completed_on is null then 0 else 1 end,
            results.completed_on desc,
            results.result_id
    ) = 1 as is_latest
from {{ ref('lms_training_results') }} as results
left join titles on results.training_title = titles.training_title
