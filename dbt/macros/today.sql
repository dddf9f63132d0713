{#- The day to report for: the day of the run in `pluvo_timezone`, unless `pluvo_today` is set. -#}
{% macro today() -%}
  {%- set zone = modules.pytz.timezone(var('pluvo_timezone')) -%}
  {%- set day = var('pluvo_today', none) or run_started_at.astimezone(zone).strftime('%Y-%m-%d') -%}
  cast('{{ day }}' as date)
{%- endmacro %}
