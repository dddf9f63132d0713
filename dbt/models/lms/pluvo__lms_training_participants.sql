select
    organization,
    {{ pluvo.global_id('training_id') }} as training_id,
    {{ pluvo.global_id('user_id') }} as user_id,
    lower(role) as member_role
from {{ ref('pluvo', 'stg_pluvo__training_participants') }}
