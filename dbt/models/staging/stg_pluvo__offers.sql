-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
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
    read_by='updated_at',
) }}
