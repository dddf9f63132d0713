-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
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
    read_by='updated_at',
) }}
