-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'offers') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'offers',
    key=['id'],
    columns={
        'id': 'text',
        'ref': 'text',
        'title': 'text',
        'description': 'text',
        'is_active': 'boolean',
        'archived_at': 'timestamp',
        'created_at': 'timestamp',
        'updated_at': 'timestamp',
    },
) }}
