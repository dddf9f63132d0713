-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'certificates',
    key=['id'],
    columns={
        'id': 'text',
        'name': 'text',
        'title': 'text',
    },
) }}
