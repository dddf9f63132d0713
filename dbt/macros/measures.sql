{#- Rounding in reports: readable, and the same on every warehouse. -#}

{% macro rounded(value, digits=4) -%}
  cast(round(cast({{ value }} as {{ dbt.type_numeric() }}), {{ digits }}) as {{ pluvo.type_double() }})
{%- endmacro %}

{#- A part of a whole, between 0 and 1; null if the whole is 0. -#}
{% macro share(part, whole) -%}
  {{ pluvo.rounded('cast(' ~ part ~ ' as ' ~ pluvo.type_double() ~ ') / nullif(' ~ whole ~ ', 0)') }}
{%- endmacro %}

{% macro hours(seconds) -%}
  {{ pluvo.rounded('cast(' ~ seconds ~ ' as ' ~ pluvo.type_double() ~ ') / 3600', 2) }}
{%- endmacro %}
