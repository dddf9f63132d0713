{#- The types of the contract, as the warehouse names them. -#}
{% macro column_type(name) %}
  {%- if name == 'text' -%} {{ dbt.type_string() }}
  {%- elif name == 'integer' -%} {{ dbt.type_bigint() }}
  {%- elif name == 'number' -%} {{ pluvo.type_double() }}
  {%- elif name == 'boolean' -%} {{ dbt.type_boolean() }}
  {%- elif name == 'timestamp' -%} {{ dbt.type_timestamp() }}
  {%- elif name == 'date' -%} date
  {%- else -%} {{ exceptions.raise_compiler_error("Unknown column type: " ~ name) }}
  {%- endif -%}
{% endmacro %}

{#- dbt's float has 8 bytes everywhere except here, where it has 4. -#}
{% macro type_double() %}{{ return(adapter.dispatch('type_double', 'pluvo')()) }}{% endmacro %}
{% macro default__type_double() %}{{ return(dbt.type_float()) }}{% endmacro %}
{% macro duckdb__type_double() %}{{ return('double') }}{% endmacro %}
{% macro spark__type_double() %}{{ return('double') }}{% endmacro %}
