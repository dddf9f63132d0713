{#-
  Which rows a read gave: those of its stream (and organization) whose time of extraction is this
  moment or later, up to the next read. This is the one place that matches rows to the tap's runs.
-#}
{% macro gives_rows_since() %}
  {{- return(adapter.dispatch('gives_rows_since', 'pluvo')()) -}}
{% endmacro %}

{#- Targets keep the time at which the tap extracted each row; the read began at `started_at`. -#}
{% macro default__gives_rows_since() %}started_at{% endmacro %}

{#- target-jsonl drops that time: then all rows of a sync bear its start, those of `sync_log`, too. -#}
{% macro duckdb__gives_rows_since() %}least(started_at, _sdc_extracted_at){% endmacro %}

{#- Say so if there are rows, but no word of the tap on what it read. -#}
{% macro warn_without_sync_log() %}
  {%- set sync_log = source('pluvo', 'sync_log') -%}
  {%- set known = pluvo.is_loaded(sync_log) -%}
  {%- if execute and not known -%}
    {%- set loaded = [] -%}
    {%- for source in graph.sources.values() if source.package_name == 'pluvo' -%}
      {%- set relation = sync_log.incorporate(path={'identifier': source.identifier}) -%}
      {%- if not loaded and pluvo.is_loaded(relation) -%}
        {%- do loaded.append(relation) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if loaded -%}
      {%- do exceptions.warn(
          "The stream sync_log was not loaded, so nobody knows what each sync read completely: rows that "
          ~ "were deleted or corrected in Pluvo stay. Select it, and use a tap that has it."
      ) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}
