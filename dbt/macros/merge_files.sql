{#-
  The raw layer on DuckDB: one row per key of a stream, merged from the files of target-batch-files,
  <folder>/<stream>-<start of the sync>-<run>-<number>.jsonl, or of target-jsonl, whose names end with
  the start. Each file is read once, and may be removed after that (`make prune`). The newest version
  of a row wins, whatever order its files are read in; of several in one sync, the last.

  A file counts as merged if its size, its time and the contract are those of `base_pluvo__merged_files`:
  it may be written to later, and a later contract may have further columns, which are then filled from
  the files that are still there.
-#}
{% macro merge_files(stream, key, columns) %}
  {%- set identity = ['organization'] + key -%}
  {%- set files = pluvo.files_to_merge(stream, columns) if execute else [] -%}
{% if files -%}
with lines as (

    select
    {%- for name, type in columns.items() %}
        {{ name ~ (" at time zone 'UTC' as " ~ name if type == 'timestamp') }},
    {%- endfor %}
        coalesce(organization, '') as organization,
        {#- target-jsonl drops the time of extraction. #}
        coalesce(_sdc_extracted_at at time zone 'UTC', {{ pluvo.jsonl_time('filename') }}) as _sdc_extracted_at,
        _sdc_deleted_at at time zone 'UTC' as _sdc_deleted_at,
        row_number() over () as _line
    from read_json(
        [
          {%- for file in files %}
            '{{ file | replace("'", "''") }}'{{ ',' if not loop.last }}
          {%- endfor %}
        ],
        format = 'newline_delimited',
        filename = true,
        columns = {
          {%- for name, type in columns.items() %}
            '{{ name }}': '{{ 'timestamptz' if type == 'timestamp' else pluvo.column_type(type) }}',
          {%- endfor %}
            'organization': '{{ dbt.type_string() }}',
            '_sdc_extracted_at': 'timestamptz',
            '_sdc_deleted_at': 'timestamptz'
        }
    )

),

newest as (

    select * exclude (_line)
    from lines
    qualify row_number() over (
        partition by {{ identity | join(', ') }}
        order by _sdc_extracted_at desc, _line desc
    ) = 1

)

select newest.*
from newest
  {%- if is_incremental() %}
left join {{ this }} as merged
    on
    {%- for name in identity %}
        {{ 'and ' if not loop.first }}newest.{{ name }} = merged.{{ name }}
    {%- endfor %}
where merged._sdc_extracted_at is null or merged._sdc_extracted_at <= newest._sdc_extracted_at
  {%- endif %}
{%- else -%}
select
  {%- for name, type in columns.items() %}
    cast(null as {{ pluvo.column_type(type) }}) as {{ name }},
  {%- endfor %}
    cast(null as {{ dbt.type_string() }}) as organization,
    cast(null as timestamp) as _sdc_extracted_at,
    cast(null as timestamp) as _sdc_deleted_at
limit 0
{%- endif %}
{% endmacro %}

{#-
  The paths of a stream's files that are not merged. A temporary table keeps how they were before they
  are read, so what is written to them from here on makes them unmerged again.
-#}
{% macro files_to_merge(stream, columns) %}
  {%- set pattern = pluvo.jsonl_files(stream) -%}
  {%- set merged_files = ref('pluvo', 'base_pluvo__merged_files') -%}
  {%- if load_relation(merged_files) is none -%}
    {#- `dbt compile` before the first run. -#}
    {{- return([]) -}}
  {%- endif -%}
  {%- if not is_incremental() -%}
    {%- do pluvo.refuse_if_pruned(stream, merged_files, pattern) -%}
  {%- endif -%}
  {%- do run_query(
      'create or replace temporary table files_to_merge as select *, cast(null as text) as path from '
      ~ merged_files ~ ' limit 0'
  ) -%}
  {#- Without any file, read_blob() is an error. -#}
  {%- if run_query("select 1 from glob('" ~ pattern ~ "') limit 1") | length -%}
    {%- set list_files -%}
      insert into files_to_merge
      select *
      from (
          select
              '{{ stream }}' as stream,
              parse_filename(filename) as file,
              size as bytes,
              last_modified at time zone 'UTC' as modified_at,
              '{{ local_md5(columns | string) }}' as contract,
              now() at time zone 'UTC' as merged_at,
              filename as path
          from read_blob('{{ pattern }}')
      ) as found
      {%- if is_incremental() %}
      anti join {{ merged_files }} as merged
          using (stream, file, bytes, modified_at, contract)
      {%- endif %}
    {%- endset -%}
    {%- do run_query(list_files) -%}
  {%- endif -%}
  {{- return(run_query('select path from files_to_merge order by path').columns[0].values()) -}}
{% endmacro %}

{#- A stream's table cannot be made again from files that are gone. -#}
{% macro refuse_if_pruned(stream, merged_files, pattern) %}
  {%- set missing = run_query(
      "select distinct file from " ~ merged_files ~ " where stream = '" ~ stream ~ "' and file not in"
      ~ " (select parse_filename(file) from glob('" ~ pattern ~ "'))"
  ) | length -%}
  {%- if missing -%}
    {%- do exceptions.raise_compiler_error(
        "The table raw_pluvo__" ~ stream ~ " is gone, and so are " ~ missing ~ " of the files that it was made"
        ~ " from. Restore the database from a copy. To go on without what only these files held, run: "
        ~ "delete from " ~ merged_files ~ " where stream = '" ~ stream ~ "'"
    ) -%}
  {%- endif -%}
{% endmacro %}

{#- Note which files were merged, in the transaction that merges them. -#}
{% macro note_merged_files() -%}
  insert into {{ ref('pluvo', 'base_pluvo__merged_files') }} select * exclude (path) from files_to_merge
{%- endmacro %}


{% macro jsonl_files(stream) %}
  {%- set folder = var('pluvo_jsonl_dir', env_var('PLUVO_JSONL_DIR', '../output')) -%}
  {{- return((folder ~ '/' ~ stream ~ '-*.jsonl') | replace("'", "''")) -}}
{% endmacro %}

{#- The start of the sync that wrote a file, in UTC: the targets write it in this machine's time zone. -#}
{% macro jsonl_time(file) -%}
  cast(strptime(regexp_extract({{ file }}, '-(\d{8}T\d{6})(-[0-9a-f]+-\d+)?\.jsonl$', 1), '%Y%m%dT%H%M%S') as timestamptz)
  at time zone 'UTC'
{%- endmacro %}
