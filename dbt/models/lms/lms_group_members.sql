select
    group_id,
    user_id,
    lower(role) as member_role
from {{ ref('stg_pluvo__group_members') }}
