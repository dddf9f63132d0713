with people as (

    select
        organization,
        month,
        user_id,
        min(case when is_compliant then 1 else 0 end) as is_compliant,
        min(case when is_membership_known then 1 else 0 end) as is_membership_known
    from {{ ref('pluvo', 'pluvo__fct_compliance_monthly') }}
    group by organization, month, user_id

)

select
    organization,
    month,
    count(*) as people_required,
    cast(sum(is_compliant) as {{ dbt.type_bigint() }}) as people_compliant,
    {{ pluvo.share('sum(is_compliant)', 'count(*)') }} as compliant_share,
    min(is_membership_known) = 1 as is_membership_known
from people
group by organization, month
