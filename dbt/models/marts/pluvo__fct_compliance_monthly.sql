{#-
  What each run computes again are the months of pluvo__dim_months, since a certificate that was
  corrected or revoked changes them, too. Older ones stay as they were.
-#}
{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    pre_hook="
      {%- if is_incremental() -%}
        delete from {{ this }} where month >= (select min(month) from {{ ref('pluvo', 'pluvo__dim_months') }})
      {%- endif -%}
    "
) }}
-- depends_on: {{ ref('pluvo', 'pluvo__dim_months') }}
with checks as (

    select
        *,
        row_number() over (
            partition by month, user_id, required_type, required_title
            order by {{ pluvo.strictest_first() }}
        ) as strictness
    from {{ ref('pluvo', 'pluvo__int_requirement_checks') }}

)

select
    organization,
    {{ dbt.concat(['cast(month as ' ~ dbt.type_string() ~ ')', "'|'", 'user_id', "'|'", 'required_type', "'|'", 'required_title']) }} as compliance_id,
    month,
    as_of,
    user_id,
    required_type,
    required_title,
    requirement_status,
    {{ pluvo.is_compliant() }} as is_compliant,
    is_membership_known
from checks
where strictness = 1
