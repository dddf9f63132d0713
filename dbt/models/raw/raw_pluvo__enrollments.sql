-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'enrollments') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'enrollments',
    key=['id'],
    columns={
        'id': 'text',
        'user_id': 'text',
        'offer_event_id': 'text',
        'status': 'text',
        'enrolled_at': 'timestamp',
    },
) }}
