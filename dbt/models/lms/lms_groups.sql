select
    id as group_id,
    ref as group_ref,
    name as group_name,
    max_users
from {{ ref('stg_pluvo__groups') }}
