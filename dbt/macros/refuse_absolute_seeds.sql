{#-
  dbt writes the SQL of a seed to <target>/run/<project>/<path of the seed>. If that path is absolute,
  it is the seed itself, which would be overwritten.
-#}
{% macro refuse_absolute_seeds() %}
  {%- set folder = env_var('PLUVO_SEEDS', 'seeds') -%}
  {%- if folder[:1] in ('/', '\\') or folder[1:2] == ':' -%}
    {%- do exceptions.raise_compiler_error(
        "PLUVO_SEEDS is an absolute path, and dbt would overwrite the seeds in it. "
        ~ "Write it relative to the folder of dbt_project.yml, such as ../local/seeds."
    ) -%}
  {%- endif -%}
{% endmacro %}
