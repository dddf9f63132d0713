with results as (

    select
        *,
        -- The result that tells how far the person has come: the last completed one, or else the newest.
        row_number() over (
            partition by user_id, training_title
            order by
                case when completed_on is null then 1 else 0 end,
                completed_on desc,
                result_id
        ) = 1 as is_decisive
    from {{ ref('pluvo', 'pluvo__fct_training_progress') }}
    where user_id is not null and training_title is not null

)

select
    organization,
    user_id,
    training_title,
    max(training_id) as training_id,
    max(trainings_with_title) as trainings_with_title,
    max(case when is_started then 1 else 0 end) = 1 as is_started,
    count(completed_on) > 0 as is_completed,
    count(completed_on) > 0
    and max(case when is_latest and completed_on is null then 1 else 0 end) = 1 as is_restarted,
    count(completed_on) as completions,
    min(completed_on) as first_completed_on,
    max(completed_on) as last_completed_on,
    max(case when is_decisive then progress end) as progress,
    max(case when is_decisive then score end) as score,
    cast(sum(seconds_spent) as {{ dbt.type_bigint() }}) as seconds_spent
from results
group by organization, user_id, training_title
