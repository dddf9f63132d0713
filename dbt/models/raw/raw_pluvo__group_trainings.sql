-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'group_trainings') }}
{{ config(unique_key=['organization', 'group_id', 'training_id']) }}
{{ pluvo.merge_files(
    'group_trainings',
    key=['group_id', 'training_id'],
    columns={
        'group_id': 'text',
        'training_id': 'text',
        'group_ref': 'text',
        'training_ref': 'text',
        'training_title': 'text',
    },
) }}
