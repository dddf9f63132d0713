-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'sync_log') }}
{{ config(unique_key=['organization', 'stream', 'started_at']) }}
{{ pluvo.merge_files(
    'sync_log',
    key=['stream', 'started_at'],
    columns={
        'stream': 'text',
        'started_at': 'timestamp',
        'finished_at': 'timestamp',
        'mode': 'text',
        'window_from': 'timestamp',
        'window_to': 'timestamp',
        'complete': 'boolean',
        'rows': 'integer',
        'counted': 'integer',
        'indistinguishable': 'integer',
        'repairs': 'integer',
        'tap_version': 'text',
    },
) }}
