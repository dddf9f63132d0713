-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'training_participants') }}
{{ config(unique_key=['organization', 'training_id', 'user_id', 'role']) }}
{{ pluvo.merge_files(
    'training_participants',
    key=['training_id', 'user_id', 'role'],
    columns={
        'training_id': 'text',
        'user_id': 'text',
        'role': 'text',
        'training_ref': 'text',
        'user_ref': 'text',
    },
) }}
