select
    id as certificate_template_id,
    title as certificate_title
from {{ ref('stg_pluvo__certificates') }}
