{#-
  One row per user or group that has a custom field value, one column per chosen field.

  values   a relation with organization, owner_type, owner_id, field_id, field_title, value_key and field_value
  fields   {'user': [...], 'group': [...]}: titles or ids of fields

  Several values of one field (multiple choice) are joined with a comma, in the order of their
  keys. A field of both users and groups gets one column; two fields that would get the same one are
  an error.
-#}
{% macro pivot_custom_fields(values, fields) %}
{%- set columns = {} -%}
{%- for owner_type in fields -%}
  {%- for field in fields[owner_type] or [] -%}
    {%- set choices = columns.setdefault(pluvo.column_name(field), []) -%}
    {%- if choices and choices[0][1] != field -%}
      {{ exceptions.raise_compiler_error(
          "pluvo_custom_fields: '" ~ choices[0][1] ~ "' and '" ~ field ~ "' would both become the column '"
          ~ pluvo.column_name(field) ~ "'. Name one of them by its id."
      ) }}
    {%- endif -%}
    {%- do choices.append((owner_type, field)) -%}
  {%- endfor -%}
{%- endfor -%}
select
    organization,
    owner_type,
    owner_id
    {%- for column, choices in columns.items() %},
    {#- On some warehouses, joining nothing gives an empty text. #}
    nullif({{ dbt.listagg(
        measure="case when " ~ pluvo.chosen_fields(choices) ~ " then field_value end",
        delimiter_text="', '",
        order_by_clause="order by value_key"
    ) }}, '') as {{ adapter.quote(column) if modules.re.search('[^a-z0-9_]', column) else column }}
    {%- endfor %}
from {{ values }}
group by organization, owner_type, owner_id
{% endmacro %}

{% macro chosen_fields(choices) -%}
  ({%- for owner_type, field in choices -%}
    {%- set name = "'" ~ dbt.escape_single_quotes(field) ~ "'" -%}
    {{ ' or ' if not loop.first }}owner_type = '{{ owner_type }}' and (field_title = {{ name }} or field_id = {{ name }})
  {%- endfor -%})
{%- endmacro %}

{#-
  The title of a field as a column name: "Cost centre (NL)" becomes cost_centre_nl. Letters of every
  script stay, so that "部門" and "Отдел" are two columns.
-#}
{% macro column_name(title) -%}
  {%- set name = modules.re.sub('[\\W_]+', '_', title | lower).strip('_') -%}
  {{- return('field_' ~ name if name[:1].isdigit() or name in ('organization', 'owner_type', 'owner_id', '') else name) -}}
{%- endmacro %}
