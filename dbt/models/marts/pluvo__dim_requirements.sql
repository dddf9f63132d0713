{%- set columns = ['audience_type', 'audience', 'audience_value', 'required_type', 'required_title', 'repeat_months', 'valid_from', 'grace_days', 'organization'] -%}
with lines as (

    -- Whatever types the seed was loaded with; what is empty is not set.
    select
        {%- for column in columns %}
        nullif(trim(cast({{ column }} as {{ dbt.type_string() }})), '') as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('pluvo__requirements') }}

),

organizations as (

    select distinct organization from {{ ref('pluvo__lms_users') }}

),

rules as (

    -- A line that names no organization holds for each of them.
    select
        organizations.organization,
        {%- for column in columns if column != 'organization' %}
        lines.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from lines
    inner join organizations
        on lines.organization is null or lines.organization = organizations.organization

)

select
    organization,
    {{ pluvo.global_id(dbt.concat([
        "coalesce(audience_type, '')", "'|'", "coalesce(audience, '')", "'|'", "coalesce(audience_value, '')", "'|'",
        "coalesce(required_type, '')", "'|'", "coalesce(required_title, '')", "'|'",
        "coalesce(repeat_months, '')", "'|'", "coalesce(valid_from, '')", "'|'", "coalesce(grace_days, '')",
    ])) }} as rule_id,
    audience_type,
    audience,
    audience_value,
    required_type,
    required_title,
    cast(repeat_months as {{ dbt.type_bigint() }}) as repeat_months,
    cast(valid_from as date) as valid_from,
    cast(grace_days as {{ dbt.type_bigint() }}) as grace_days
from rules
