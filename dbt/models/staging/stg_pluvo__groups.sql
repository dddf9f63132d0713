-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'groups',
    key=['id'],
    columns={
        'id': 'text',
        'ref': 'text',
        'name': 'text',
        'max_users': 'integer',
        'user_count': 'integer',
        'manager_count': 'integer',
        'enable_chat': 'boolean',
        'is_editable': 'boolean',
        'permissions': 'text',
    },
) }}
