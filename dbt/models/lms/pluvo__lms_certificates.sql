select
    organization,
    {{ pluvo.global_id('id') }} as certificate_id,
    {{ pluvo.global_id('user_id') }} as user_id,
    title as certificate_title,
    completion_date as issued_on,
    end_date as expires_on
from {{ ref('pluvo', 'stg_pluvo__issued_certificates') }}
-- Without a day of issue, someone is still working towards the certificate.
where completion_date is not null
