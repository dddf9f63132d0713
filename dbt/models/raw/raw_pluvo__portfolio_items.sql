-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'portfolio_items') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'portfolio_items',
    key=['id'],
    columns={
        'id': 'text',
        'user_id': 'text',
        'title': 'text',
        'description': 'text',
        'start_date': 'timestamp',
        'end_date': 'timestamp',
        'files': 'text',
        'created_at': 'timestamp',
        'updated_at': 'timestamp',
    },
) }}
