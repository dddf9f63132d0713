select
    organization,
    {{ pluvo.global_id('id') }} as training_id,
    ref as training_ref,
    title as training_title,
    is_active as is_published,
    archived as is_archived,
    start_date as opens_on,
    end_date as closes_on,
    estimated_time_spent as estimated_time
from {{ ref('pluvo', 'stg_pluvo__trainings') }}
