select
    organization,
    {{ pluvo.global_id('group_id') }} as group_id,
    {{ pluvo.global_id('user_id') }} as user_id,
    lower(role) as member_role
from {{ ref('pluvo', 'stg_pluvo__group_members') }}
