{#- The day to report for: the day of the run in `pluvo_timezone`, unless `pluvo_today` is set. -#}
{% macro today() -%}
  {%- set zone = modules.pytz.timezone(var('pluvo_timezone')) -%}
  {%- set day = var('pluvo_today', none) or run_started_at.astimezone(zone).strftime('%Y-%m-%d') -%}
  cast('{{ day }}' as date)
{%- endmacro %}

{#- Days from a moment (UTC) to today; both are days in `pluvo_timezone`. -#}
{% macro days_since(moment) -%}
  {{ pluvo.days_between(pluvo.local_day(moment), pluvo.today()) }}
{%- endmacro %}

{#- A number of days has another type on each warehouse, unless it is cast. -#}
{% macro days_between(first, last) -%}
  cast({{ dbt.datediff(first, last, 'day') }} as {{ dbt.type_bigint() }})
{%- endmacro %}

{#- The day of a moment (UTC) in `pluvo_timezone`: only such a day can be compared with today(). -#}
{% macro local_day(moment) -%}
  {{- return(adapter.dispatch('local_day', 'pluvo')(moment)) -}}
{%- endmacro %}

{% macro default__local_day(moment) -%}
  cast({{ moment }} at time zone 'UTC' at time zone '{{ var('pluvo_timezone') }}' as date)
{%- endmacro %}

{% macro snowflake__local_day(moment) -%}
  cast(convert_timezone('UTC', '{{ var('pluvo_timezone') }}', {{ moment }}) as date)
{%- endmacro %}

{% macro bigquery__local_day(moment) -%}
  date({{ moment }}, '{{ var('pluvo_timezone') }}')
{%- endmacro %}
