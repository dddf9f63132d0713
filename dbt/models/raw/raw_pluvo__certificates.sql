-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'certificates') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'certificates',
    key=['id'],
    columns={
        'id': 'text',
        'name': 'text',
        'title': 'text',
    },
) }}
