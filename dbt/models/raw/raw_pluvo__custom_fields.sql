-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'custom_fields') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'custom_fields',
    key=['id'],
    columns={
        'id': 'text',
        'title': 'text',
        'category_type': 'text',
        'for_model_types': 'text',
        'choice_options': 'text',
    },
) }}
