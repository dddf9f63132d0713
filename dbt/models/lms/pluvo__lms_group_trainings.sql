select
    organization,
    {{ pluvo.global_id('group_id') }} as group_id,
    {{ pluvo.global_id('training_id') }} as training_id
from {{ ref('pluvo', 'stg_pluvo__group_trainings') }}
