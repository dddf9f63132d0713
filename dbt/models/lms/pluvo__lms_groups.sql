select
    organization,
    {{ pluvo.global_id('id') }} as group_id,
    ref as group_ref,
    name as group_name,
    max_users
from {{ ref('pluvo', 'stg_pluvo__groups') }}
