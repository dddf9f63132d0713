{% do pluvo.warn_without_sync_log() -%}
with sync_log as (

    {{ pluvo.newest_rows('sync_log', ['stream', 'started_at'], {
        'stream': 'text',
        'started_at': 'timestamp',
        'mode': 'text',
        'window_from': 'text',
        'window_to': 'text',
        'complete': 'boolean',
    }) }}

),

complete_reads as (

    select
        stream,
        _organization as organization,
        mode as read_mode,
        cast(window_from as {{ dbt.type_timestamp() }}) as window_from,
        cast(window_to as {{ dbt.type_timestamp() }}) as window_to,
        {{ pluvo.gives_rows_since() }} as gives_rows_since
    from sync_log
    -- A window without an end gave no range of which every row is known.
    where complete and (mode = 'FULL' or (mode = 'WINDOW' and window_to is not null))

),

with_last_full as (

    select
        *,
        max(case when read_mode = 'FULL' and window_from is null and window_to is null then gives_rows_since end)
            over (partition by stream, organization) as last_full
    from complete_reads

)

select
    stream,
    organization,
    read_mode,
    window_from,
    window_to,
    gives_rows_since
from with_last_full
-- What came before it has nothing to add: the last full read without bounds speaks for every row.
where last_full is null or gives_rows_since >= last_full
