-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'offer_event_dates') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'offer_event_dates',
    key=['id'],
    columns={
        'id': 'text',
        'offer_event_id': 'text',
        'start_date': 'timestamp',
        'end_date': 'timestamp',
    },
) }}
