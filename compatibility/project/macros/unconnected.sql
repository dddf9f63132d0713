{#- What can only be asked of a warehouse. -#}

{#- Without tables, staging gives no rows, but all columns and their types. -#}
{% macro default__is_loaded(relation) %}{{ return(false) }}{% endmacro %}

{#- As after the first `dbt snapshot`. -#}
{% macro default__is_built(relation) %}{{ return(true) }}{% endmacro %}

{#- dbt-databricks first asks for the version of the runtime: this is what it writes for all since 10.4. -#}
{% macro databricks__datediff(first_date, second_date, datepart) -%}
  timestampdiff({{ datepart }}, {{ dbt.date_trunc(datepart, first_date) }}, {{ dbt.date_trunc(datepart, second_date) }})
{%- endmacro %}

{% macro databricks__dateadd(datepart, interval, from_date_or_timestamp) -%}
  timestampadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}
