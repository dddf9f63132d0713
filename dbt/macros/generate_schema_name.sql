{#-
  All in the schema of the profile while this project runs by itself, since nothing else is there.
  dbt does not look at this macro when the project is a package: then `+schema` holds.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ target.schema }}
{%- endmacro %}
