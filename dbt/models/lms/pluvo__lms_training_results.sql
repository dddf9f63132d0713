select
    organization,
    {{ pluvo.global_id('id') }} as result_id,
    {{ pluvo.global_id('user_id') }} as user_id,
    title as training_title,
    progress,
    score,
    completion_date as completed_on,
    -- Days and seconds arrive separately; one may be missing if it is zero.
    case
        when time_spent_days is not null or time_spent_seconds is not null
            then coalesce(time_spent_days, 0) * 86400 + coalesce(time_spent_seconds, 0)
    end as seconds_spent
from {{ ref('pluvo', 'stg_pluvo__portfolio_report') }}
where related_object_type = 'TRAINING'
