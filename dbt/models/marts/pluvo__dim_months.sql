{%- set this_month = 'cast(' ~ dbt.date_trunc('month', pluvo.today()) ~ ' as date)' -%}
with months as (

    {%- for back in range(var('pluvo_history_months') + 1) %}
    select cast({{ dbt.dateadd('month', -back, this_month) }} as date) as month
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    month,
    case
        when month = {{ this_month }} then {{ pluvo.today() }}
        else cast({{ dbt.last_day('month', 'month') }} as date)
    end as as_of,
    month < {{ this_month }} as is_closed
from months
