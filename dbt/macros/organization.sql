{#-
  Several organizations may share a warehouse. Their identifiers are told apart in one place, the
  views in lms/: with the setting `add_organization_column`, an identifier is "organization/id" from
  there on, so that keys and joins need not care. Titles are not unique, so what is joined by title
  is joined within the organization. All macros take null for "the column is off".
-#}

{#- An identifier that no two organizations share. -#}
{% macro global_id(column, organization='organization') -%}
  {{ dbt.concat(['coalesce(' ~ dbt.concat([organization, "'/'"]) ~ ", '')", column]) }}
{%- endmacro %}

{#- Whether two relations' rows belong to the same organization. -#}
{% macro same_organization(one, other) -%}
  coalesce({{ one }}.organization, '') = coalesce({{ other }}.organization, '')
{%- endmacro %}
