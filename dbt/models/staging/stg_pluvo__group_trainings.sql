-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
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
