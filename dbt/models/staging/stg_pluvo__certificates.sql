-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    source('pluvo', 'certificates'),
    key=['id'],
    columns={
        'id': 'text',
        'name': 'text',
        'title': 'text',
    },
) }}
