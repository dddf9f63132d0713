{#- Whether a relation is there: `dbt run` without `dbt snapshot` leaves no snapshots. -#}
{% macro is_built(relation) %}
  {{- return(adapter.dispatch('is_built', 'pluvo')(relation)) -}}
{% endmacro %}

{% macro default__is_built(relation) %}
  {{- return(execute and load_relation(relation) is not none) -}}
{% endmacro %}

{#- The day, in `pluvo_timezone`, of a moment that dbt wrote into a snapshot. -#}
{% macro snapshot_day(moment) -%}
  {{- return(adapter.dispatch('snapshot_day', 'pluvo')(moment)) -}}
{%- endmacro %}

{#- In UTC. -#}
{% macro default__snapshot_day(moment) -%}
  {{ pluvo.local_day(moment) }}
{%- endmacro %}

{#- In the time zone of the session. -#}
{% macro duckdb__snapshot_day(moment) -%}
  cast(cast({{ moment }} as timestamptz) at time zone '{{ var('pluvo_timezone') }}' as date)
{%- endmacro %}

{% macro postgres__snapshot_day(moment) -%}
  cast(cast({{ moment }} as timestamptz) at time zone '{{ var('pluvo_timezone') }}' as date)
{%- endmacro %}
