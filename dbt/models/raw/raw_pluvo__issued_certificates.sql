-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'issued_certificates') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'issued_certificates',
    key=['id'],
    columns={
        'id': 'text',
        'user_id': 'text',
        'user_ref': 'text',
        'user_name': 'text',
        'user_email': 'text',
        'title': 'text',
        'completion_date': 'date',
        'end_date': 'date',
    },
) }}
