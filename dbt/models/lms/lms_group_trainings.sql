select
    group_id,
    training_id
from {{ ref('stg_pluvo__group_trainings') }}
