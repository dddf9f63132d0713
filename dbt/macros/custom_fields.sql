{#-
  The custom fields in the variable `pluvo_custom_fields` become columns of the users and groups they
  belong to. `owner_type` is `user` or `group` throughout, a field is named by its title or its id.
-#}

{#-
  One row for each owner with a value, one column for each chosen field. Several values of a field
  (multiple choice) are joined with a comma, in the order of their keys.
-#}
{% macro pivot_custom_fields(values, owner_type) %}
    select
        {#- No field can have this name: see column_name. #}
        owner_id as _owner_id
        {%- for column, field in pluvo.custom_field_columns(owner_type).items() %},
        {#- On some warehouses, joining nothing gives an empty text. #}
        nullif({{ dbt.listagg(
            measure="case when " ~ pluvo.is_custom_field([field]) ~ " then field_value end",
            delimiter_text="', '",
            order_by_clause="order by value_key"
        ) }}, '') as {{ column }}
        {%- endfor %}
    from {{ values }}
    where owner_type = '{{ owner_type }}'
    group by owner_id
{% endmacro %}

{#- The chosen fields by the names of their columns, of which each is another one. -#}
{% macro custom_field_columns(owner_type) %}
  {%- set columns = {} -%}
  {%- for field in pluvo.chosen_custom_fields(owner_type) -%}
    {%- set name = pluvo.column_name(field) -%}
    {%- set column = adapter.quote(name) if modules.re.search('[^a-z0-9_]', name) else name -%}
    {%- if execute and column in columns -%}
      {%- do exceptions.raise_compiler_error(
          "pluvo_custom_fields: '" ~ columns[column] ~ "' and '" ~ field ~ "' would both become the column '"
          ~ name ~ "'. Name one of them by its id."
      ) -%}
    {%- elif execute and name in model.columns -%}
      {%- do exceptions.raise_compiler_error(
          "pluvo_custom_fields: '" ~ field ~ "' would become the column '" ~ name ~ "', and "
          ~ model.name ~ " already has a column '" ~ name ~ "'. Name the field by its id."
      ) -%}
    {%- endif -%}
    {%- do columns.update({column: field}) -%}
  {%- endfor -%}
  {{- return(columns) -}}
{% endmacro %}

{% macro chosen_custom_fields(owner_type) %}
  {{- return(var('pluvo_custom_fields').get(owner_type) or []) -}}
{% endmacro %}

{#- Whether a value is of one of these fields. -#}
{% macro is_custom_field(fields) -%}
  {%- set names = [] -%}
  {%- for field in fields -%}
    {%- do names.append("'" ~ dbt.escape_single_quotes(field) ~ "'") -%}
  {%- endfor -%}
  {%- set names = names | join(', ') -%}
  {{- '(field_title in (' ~ names ~ ') or field_id in (' ~ names ~ '))' if names else '1 = 0' -}}
{%- endmacro %}

{#-
  The title of a field as a column name: "Cost centre (NL)" becomes cost_centre_nl. Letters of every
  script stay, so that "部門" and "Отдел" are two columns.
-#}
{% macro column_name(title) -%}
  {%- set name = modules.re.sub('[\\W_]+', '_', title | lower).strip('_') -%}
  {{- return('field_' ~ name if name[:1].isdigit() or not name else name) -}}
{%- endmacro %}
