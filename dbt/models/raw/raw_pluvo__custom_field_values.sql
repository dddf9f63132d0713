-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'custom_field_values') }}
{{ config(unique_key=['organization', 'owner_type', 'owner_id', 'field_id', 'value_key']) }}
{{ pluvo.merge_files(
    'custom_field_values',
    key=['owner_type', 'owner_id', 'field_id', 'value_key'],
    columns={
        'owner_type': 'text',
        'owner_id': 'text',
        'field_id': 'text',
        'value_key': 'text',
        'owner_ref': 'text',
        'field_title': 'text',
        'value_type': 'text',
        'string_value': 'text',
        'boolean_value': 'boolean',
        'datetime_value': 'timestamp',
        'choice_id': 'text',
        'choice_ref': 'text',
        'choice_value': 'text',
        'other_value': 'text',
    },
) }}
