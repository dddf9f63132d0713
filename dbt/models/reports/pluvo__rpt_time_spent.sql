with estimates as (

    select
        organization,
        training_title,
        -- Trainings with the same title may differ; then there is no single estimate.
        case when count(distinct estimated_time) = 1 then min(estimated_time) end as estimated_time
    from {{ ref('pluvo', 'pluvo__dim_trainings') }}
    group by organization, training_title

)

select
    training_status.organization,
    training_status.training_title,
    estimates.estimated_time,
    count(*) as people,
    count(case when training_status.seconds_spent > 0 then 1 end) as people_with_time,
    {{ pluvo.hours('sum(training_status.seconds_spent)') }} as hours_spent,
    {{ pluvo.hours('avg(case when training_status.seconds_spent > 0 then training_status.seconds_spent end)') }} as average_hours,
    {{ pluvo.hours('max(training_status.seconds_spent)') }} as most_hours
from {{ ref('pluvo', 'pluvo__fct_training_status') }} as training_status
left join estimates
    on
        training_status.training_title = estimates.training_title
        and {{ pluvo.same_organization('training_status', 'estimates') }}
group by training_status.organization, training_status.training_title, estimates.estimated_time
