select
    training_id,
    user_id,
    lower(role) as member_role
from {{ ref('stg_pluvo__training_participants') }}
