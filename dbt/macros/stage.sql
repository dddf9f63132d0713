{#-
  One typed, current row per key of a stream: the newest version of each, without those that are gone.

  A row is gone if the newest complete read that speaks for it did not give it again. A full read
  speaks for the whole stream or, where it has a window, for the rows inside it and those without a
  date; a read of a window for the rows inside it only; a read that broke off for nothing: see
  `base_pluvo__complete_reads`. A read of what webhooks said had changed (LOG_BASED) speaks only for
  the rows that it gave, and marks those that are gone by `_sdc_deleted_at`.

  stream       its name
  key          the columns that identify a row
  columns      name and type of each column, as in the contract
  read_by      the column that the windows of a read refer to, if it can be read in windows
  result_of    set for streams whose key is computed from the completion date: the columns that
               identify the result. A result in progress gets a new key once it is completed, and
               windows do not speak for it. So it is also gone if a completion is dated after the
               day on which it was last read. If both are of the same day, the person may have begun
               again: then only a full read can tell, and the row stays until there is one.
-#}
{% macro stage(stream, key, columns, read_by=none, result_of=none) %}
with versions as (

    {{ pluvo.newest_rows(stream, key, columns) }}

),

newest as (

    select
        *,
        cast({{ read_by or 'null' }} as {{ dbt.type_timestamp() }}) as _read_by,
        -- To join by, since nulls do not join: no row has this date.
        coalesce(
            cast({{ read_by or 'null' }} as {{ dbt.type_timestamp() }}),
            cast('0001-01-01 12:00:00' as {{ dbt.type_timestamp() }})
        ) as _position
    from versions
    where _sdc_deleted_at is null

),

positions as (

    select distinct _organization, _read_by, _position from newest

),

spoken_for as (

    select
        positions._organization,
        positions._position,
        max(reads.gives_rows_since) as _gives_rows_since
    from positions
    inner join {{ ref('pluvo', 'base_pluvo__complete_reads') }} as reads
        on
            reads.stream = '{{ stream }}'
            and positions._organization = reads.organization
            and (
                (reads.read_mode = 'FULL' and positions._read_by is null)
                or (
                    positions._read_by >= coalesce(reads.window_from, positions._read_by)
                    and positions._read_by <= coalesce(reads.window_to, positions._read_by)
                )
            )
    group by positions._organization, positions._position

),

present as (

    select newest.*
    from newest
    left join spoken_for
        on
            newest._organization = spoken_for._organization
            and newest._position = spoken_for._position
    where
        spoken_for._gives_rows_since is null
        -- Of a row without a time of extraction, nobody can say when it was last read.
        or newest._sdc_extracted_at is null
        or newest._sdc_extracted_at >= spoken_for._gives_rows_since

)
{%- if result_of %},

-- Few results were completed since one in progress was read, but all of those may be asked about.
late_completions as (

    select
        _organization,
        {{ result_of | join(', ') }},
        max(completion_date) as _last_completion
    from present
    where completion_date > (
        select min(cast(versions._sdc_extracted_at as date)) from versions where versions.completion_date is null
    )
    group by _organization, {{ result_of | join(', ') }}

)
{%- endif %}

select
    {%- for name in columns %}
    present.{{ name }},
    {%- endfor %}
    nullif(present._organization, '') as organization,
    present._sdc_extracted_at
from present
{%- if result_of %}
left join late_completions
    on
        present.completion_date is null
        and present._organization = late_completions._organization
        {%- for name in result_of %}
        -- Nulls are equal here. The first condition is one that every warehouse can hash.
        and coalesce(present.{{ name }}, '') = coalesce(late_completions.{{ name }}, '')
        and (
            present.{{ name }} = late_completions.{{ name }}
            or (present.{{ name }} is null and late_completions.{{ name }} is null)
        )
        {%- endfor %}
where
    late_completions._last_completion is null
    or present._sdc_extracted_at is null
    or late_completions._last_completion <= cast(present._sdc_extracted_at as date)
{%- endif %}
{% endmacro %}


{#-
  The newest version of each row, typed, with
    _organization      whose it is; an empty text if the column is off
    _sdc_extracted_at  when it was read, on the clock of `gives_rows_since`
    _sdc_deleted_at    when the tap, reading LOG_BASED, or the target noticed that it is gone
-#}
{% macro newest_rows(stream, key, columns) %}
  {{- return(adapter.dispatch('newest_rows', 'pluvo')(stream, key, columns)) -}}
{% endmacro %}

{#- Of a table that a Singer target writes: it may not exist yet, and may lack columns of the contract. -#}
{% macro default__newest_rows(stream, key, columns) %}
  {%- set relation = source('pluvo', stream) -%}
  {%- set found = [] -%}
  {%- if pluvo.is_loaded(relation) -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
      {%- do found.append(column.name | lower) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set wanted = [] -%}
  {%- for name, type in columns.items() -%}
    {%- do wanted.append((name, type, name)) -%}
  {%- endfor -%}
  {%- do wanted.extend([
      ('_sdc_extracted_at', 'timestamp', '_sdc_extracted_at'),
      ('_sdc_deleted_at', 'timestamp', '_sdc_deleted_at'),
      ('_sdc_sequence', 'integer', '_sdc_order'),
  ]) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by _organization, {{ key | join(', ') }}
                order by _sdc_extracted_at desc, _sdc_order desc
            ) as _version
        from (
            select
            {%- for name, type, alias in wanted %}
                cast({{ name if name in found else 'null' }} as {{ pluvo.column_type(type) }}) as {{ alias }},
            {%- endfor %}
                coalesce(
                    cast({{ 'organization' if 'organization' in found else 'null' }} as {{ dbt.type_string() }}), ''
                ) as _organization
            {{ 'from ' ~ relation if found else 'limit 0' }}
        ) as loaded
    ) as versions
    where _version = 1
{%- endmacro %}

{#- Of the raw layer that files are merged into, which has one version of each row: see `merge_files`. -#}
{% macro duckdb__newest_rows(stream, key, columns) %}
    select
    {%- for name, type in columns.items() %}
        cast({{ name }} as {{ pluvo.column_type(type) }}) as {{ name }},
    {%- endfor %}
        organization as _organization,
        _sdc_extracted_at,
        _sdc_deleted_at
    from {{ ref('pluvo', 'raw_pluvo__' ~ stream) }}
{%- endmacro %}


{#- Whether anything of a stream was loaded. -#}
{% macro is_loaded(relation) %}
  {{- return(adapter.dispatch('is_loaded', 'pluvo')(relation)) -}}
{% endmacro %}

{% macro default__is_loaded(relation) %}
  {{- return(execute and adapter.get_relation(relation.database, relation.schema, relation.identifier) is not none) -}}
{% endmacro %}

{#- Its files may have been pruned since they were merged. Before the first run there is no list of them. -#}
{% macro duckdb__is_loaded(relation) %}
  {%- set merged_files = ref('pluvo', 'base_pluvo__merged_files') -%}
  {{- return(execute and load_relation(merged_files) is not none and run_query(
      "select 1 from glob('" ~ pluvo.jsonl_files(relation.identifier) ~ "') union all "
      ~ "select 1 from " ~ merged_files ~ " where stream = '" ~ relation.identifier ~ "' limit 1"
  ) | length > 0) -}}
{% endmacro %}

{#- When a stream was last loaded, for `dbt source freshness`. -#}
{% macro last_loaded(relation) %}
  {{- return(adapter.dispatch('last_loaded', 'pluvo')(relation)) -}}
{% endmacro %}

{% macro default__last_loaded(relation) %}
  {%- if pluvo.is_loaded(relation) -%}
    select max(_sdc_extracted_at) from {{ relation }}
  {%- else -%}
    select cast(null as {{ dbt.type_timestamp() }})
  {%- endif -%}
{% endmacro %}

{% macro duckdb__last_loaded(relation) -%}
  select max({{ pluvo.jsonl_time('file') }})
  from glob('{{ pluvo.jsonl_files(relation.identifier) }}')
{%- endmacro %}
