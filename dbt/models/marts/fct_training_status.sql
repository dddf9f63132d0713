select
    user_id,
    training_title,
    max(training_id) as training_id,
    max(trainings_with_title) as trainings_with_title,
    max(case when is_started then 1 else 0 end) = 1 as is_started,
    count(completed_on) > 0 as is_completed,
    count(completed_on) as completions,
    min(completed_on) as first_completed_on,
    max(completed_on) as last_completed_on,
    max(case when is_latest then progress end) as progress,
    max(case when is_latest then score end) as score,
    cast(sum(seconds_spent) as {{ dbt.type_bigint() }}) as seconds_spent
from {{ ref('fct_training_progress') }}
group by user_id, training_title
