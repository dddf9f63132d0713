-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
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
