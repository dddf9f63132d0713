{#-
  One typed, current row per key of a stream.

  relation     the source; it may not exist yet, and may lack columns of the contract
  key          the columns that identify a row
  columns      name and type of each column, as in the contract
  full_read    whether each sync reads the whole stream
  result_of    set for streams whose key is computed from the completion date: the columns that
               identify the result. A result in progress then gets a new key once it is
               completed, so the old row must be recognised as outdated: it is kept only if the
               newest sync that read any result in progress also read this one, and if no later
               sync found a completion of it dated on or after the day it was read.
-#}
{% macro stage(relation, key, columns, full_read=true, result_of=none) %}
with loaded as (

    {{ pluvo.loaded_rows(relation, columns) }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by _sdc_extracted_at desc, _sdc_order desc
        ) as _version
        {%- if result_of %},
        max(completion_date) over (partition by {{ result_of | join(', ') }}) as _last_completion,
        max(case when completion_date is not null then _sdc_run end) over (
            partition by {{ result_of | join(', ') }}
        ) as _last_completion_run,
        max(case when completion_date is null then _sdc_run end) over () as _last_full_read
        {%- endif %}
        {%- if full_read %},
        max(_sdc_run) over () as _last_run
        {%- endif %}
    from loaded

)

select
    {%- for name in columns %}
    {{ name }},
    {%- endfor %}
    _sdc_extracted_at
from numbered
where
    _version = 1
    and _sdc_deleted_at is null
    {%- if full_read and var('pluvo_drop_vanished_rows') %}
    and (_sdc_run is null or _sdc_run = _last_run)
    {%- endif %}
    {%- if result_of %}
    and (
        completion_date is not null
        or (
            (_sdc_run is null or _sdc_run = _last_full_read)
            and (
                _last_completion is null
                or _last_completion < cast(_sdc_extracted_at as date)
                or _last_completion_run <= _sdc_run
            )
        )
    )
    {%- endif %}
{% endmacro %}


{#-
  The rows as loaded, typed, with _sdc_extracted_at, _sdc_deleted_at, _sdc_run (which sync wrote
  the row; null if the target does not say) and _sdc_order (breaks ties).
-#}
{% macro loaded_rows(relation, columns) %}
  {{- return(adapter.dispatch('loaded_rows', 'pluvo')(relation, columns)) -}}
{% endmacro %}

{#- A table written by a Singer target. -#}
{% macro default__loaded_rows(relation, columns) %}
  {%- set found = [] -%}
  {%- if execute -%}
    {%- set table = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if table is not none -%}
      {%- for column in adapter.get_columns_in_relation(table) -%}
        {%- do found.append(column.name | lower) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endif -%}
  {%- set wanted = [] -%}
  {%- for name, type in columns.items() -%}
    {%- do wanted.append((name, type, name)) -%}
  {%- endfor -%}
  {%- do wanted.extend([
      ('_sdc_extracted_at', 'timestamp', '_sdc_extracted_at'),
      ('_sdc_deleted_at', 'timestamp', '_sdc_deleted_at'),
      ('_sdc_sync_started_at', 'integer', '_sdc_run'),
      ('_sdc_sequence', 'integer', '_sdc_order'),
  ]) -%}
  select
  {%- for name, type, alias in wanted %}
        cast({{ name if name in found else 'null' }} as {{ pluvo.column_type(type) }}) as {{ alias }}
        {{- ',' if not loop.last }}
  {%- endfor %}
    {{ 'from ' ~ relation if found else 'limit 0' }}
{% endmacro %}

{#- The files of target-jsonl: <folder>/<stream>-<start of the sync>.jsonl, one per sync. -#}
{% macro duckdb__loaded_rows(relation, columns) %}
  {%- set files = pluvo.jsonl_files(relation.identifier) -%}
  {%- set synced = execute and run_query("select 1 from glob('" ~ files ~ "') limit 1") | length > 0 -%}
  select
  {%- for name, type in columns.items() %}
        {% if not synced %} cast(null as {{ pluvo.column_type(type) }})
        {%- elif type == 'timestamp' %} {{ name }} at time zone 'UTC'
        {%- else %} {{ name }}
        {%- endif %} as {{ name }},
  {%- endfor %}
  {%- if synced %}
        {{ pluvo.jsonl_time('filename') }} as _sdc_extracted_at,
        cast(null as timestamp) as _sdc_deleted_at,
        {{ pluvo.jsonl_time('filename') }} as _sdc_run,
        row_number() over () as _sdc_order
    from read_json(
        '{{ files }}',
        format = 'newline_delimited',
        filename = true,
        columns = {
          {%- for name, type in columns.items() %}
            '{{ name }}': '{{ 'timestamptz' if type == 'timestamp' else pluvo.column_type(type) }}'
            {{- ',' if not loop.last }}
          {%- endfor %}
        }
    )
  {%- else %}
        cast(null as timestamp) as _sdc_extracted_at,
        cast(null as timestamp) as _sdc_deleted_at,
        cast(null as timestamp) as _sdc_run,
        cast(null as bigint) as _sdc_order
    limit 0
  {%- endif %}
{% endmacro %}

{% macro jsonl_files(stream) %}
  {%- set folder = var('pluvo_jsonl_dir', env_var('PLUVO_JSONL_DIR', '../output')) -%}
  {{- return((folder ~ '/' ~ stream ~ '-*.jsonl') | replace("'", "''")) -}}
{% endmacro %}

{#- The start of the sync that wrote a file, in UTC: target-jsonl writes it in this machine's time zone. -#}
{% macro jsonl_time(file) -%}
  cast(strptime(regexp_extract({{ file }}, '-(\d{8}T\d{6})\.jsonl$', 1), '%Y%m%dT%H%M%S') as timestamptz)
  at time zone 'UTC'
{%- endmacro %}


{#- When a stream was last loaded, for `dbt source freshness`. -#}
{% macro last_loaded(relation) %}
  {{- return(adapter.dispatch('last_loaded', 'pluvo')(relation)) -}}
{% endmacro %}

{% macro default__last_loaded(relation) %}
  {%- if execute and adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    select max(_sdc_extracted_at) from {{ relation }}
  {%- else -%}
    select cast(null as {{ dbt.type_timestamp() }})
  {%- endif -%}
{% endmacro %}

{% macro duckdb__last_loaded(relation) -%}
  select max({{ pluvo.jsonl_time('file') }})
  from glob('{{ pluvo.jsonl_files(relation.identifier) }}')
{%- endmacro %}
