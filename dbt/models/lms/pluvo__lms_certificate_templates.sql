select
    organization,
    {{ pluvo.global_id('id') }} as certificate_template_id,
    title as certificate_title
from {{ ref('pluvo', 'stg_pluvo__certificates') }}
