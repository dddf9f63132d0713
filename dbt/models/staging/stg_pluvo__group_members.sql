-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'group_members',
    key=['group_id', 'user_id', 'role'],
    columns={
        'group_id': 'text',
        'user_id': 'text',
        'role': 'text',
        'group_ref': 'text',
        'user_ref': 'text',
    },
) }}
