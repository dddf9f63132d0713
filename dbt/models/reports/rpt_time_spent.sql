with estimates as (

    select
        training_title,
        -- Trainings with the same title may differ; then there is no single estimate.
        case when count(distinct estimated_time) = 1 then min(estimated_time) end as estimated_time
    from {{ ref('dim_trainings') }}
    group by training_title

)

select
    training_status.training_title,
    estimates.estimated_time,
    count(*) as people,
    count(case when training_status.seconds_spent > 0 then 1 end) as people_with_time,
    {{ pluvo.hours('sum(training_status.seconds_spent)') }} as hours_spent,
    {{ pluvo.hours('avg(case when training_status.seconds_spent > 0 then training_status.seconds_spent end)') }} as average_hours,
    {{ pluvo.hours('max(training_status.seconds_spent)') }} as most_hours
from {{ ref('fct_training_status') }} as training_status
left join estimates on training_status.training_title = estimates.training_title
group by training_status.training_title, estimates.estimated_time
