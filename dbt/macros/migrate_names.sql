{#-
  Version 0.1 had names without the prefix `pluvo__`. This gives the history in its snapshots the new
  names, and drops what else is left under the old ones. Only shows what it would do, unless told:

      dbt run-operation migrate_names --args '{dry_run: false}'

  schema   where the old names are; by default the schema of the profile
-#}
{% macro migrate_names(dry_run=true, schema=none) %}
  {%- set place = {'database': target.database, 'schema': schema or target.schema} -%}
  {%- set taken = [] -%}
  {%- for node in graph.nodes.values() if node.schema == place.schema and node.resource_type in ('model', 'seed', 'snapshot') -%}
    {%- do taken.append(node.alias) -%}
  {%- endfor -%}
  {%- set statements = [] -%}

  {%- for name in ('snap_users', 'snap_group_members') if name not in taken -%}
    {%- set old = adapter.get_relation(identifier=name, **place) -%}
    {%- set node = graph.nodes['snapshot.pluvo.pluvo__' ~ name] -%}
    {%- set new = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias) -%}
    {%- if old and adapter.get_relation(new.database, new.schema, new.identifier) -%}
      {%- do log("Leave " ~ old ~ ": " ~ new ~ " has a history of its own already", info=true) -%}
    {%- elif old -%}
      {#- A copy, because a table cannot be renamed into another schema everywhere. -#}
      {%- do statements.extend(['create table ' ~ new ~ ' as select * from ' ~ old, 'drop table ' ~ old]) -%}
      {%- if not dry_run -%}
        {%- do adapter.create_schema(new) -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}

  {#- A model of another project may have the same name: that stays. -#}
  {%- for name in pluvo.names_of_version_0_1() if name not in taken -%}
    {%- set old = adapter.get_relation(identifier=name, **place) -%}
    {%- if old -%}
      {#- Without "cascade": what depends on it is somebody else's. -#}
      {%- do statements.append('drop ' ~ old.type ~ ' ' ~ old) -%}
    {%- endif -%}
  {%- endfor -%}

  {%- for sql in statements -%}
    {%- do log(('Would run: ' if dry_run else 'Run: ') ~ sql, info=true) -%}
    {%- if not dry_run -%}
      {%- call statement(auto_begin=true) -%}{{ sql }}{%- endcall -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if statements and not dry_run -%}
    {%- do adapter.commit() -%}
  {%- elif not statements -%}
    {%- do log("Nothing has an old name in " ~ place.schema, info=true) -%}
  {%- endif -%}
{% endmacro %}

{% macro names_of_version_0_1() %}
  {{- return([
      'bridge_group_members', 'custom_fields_pivoted', 'dim_groups', 'dim_trainings', 'dim_users',
      'fct_certificates', 'fct_compliance_person', 'fct_enrollments', 'fct_required_certificates',
      'fct_training_assignments', 'fct_training_progress', 'fct_training_status',
      'rpt_as_of', 'rpt_certificate_compliance', 'rpt_group_progress', 'rpt_inactive_users',
      'rpt_overview', 'rpt_time_spent', 'rpt_training_funnel', 'required_certificates',
      'lms_certificate_templates', 'lms_certificates', 'lms_custom_field_values', 'lms_enrollments',
      'lms_group_members', 'lms_group_trainings', 'lms_groups', 'lms_training_participants',
      'lms_training_results', 'lms_trainings', 'lms_users',
  ]) -}}
{% endmacro %}
