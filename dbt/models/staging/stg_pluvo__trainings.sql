-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'trainings',
    key=['id'],
    columns={
        'id': 'text',
        'ref': 'text',
        'title': 'text',
        'subtitle': 'text',
        'introduction': 'text',
        'is_active': 'boolean',
        'archived': 'boolean',
        'start_date': 'date',
        'end_date': 'date',
        'estimated_time_spent': 'text',
        'show_participants': 'boolean',
        'show_shared_files': 'boolean',
        'enable_chat': 'boolean',
        'overview_image_id': 'text',
        'overview_image_url': 'text',
        'portfolio_item_id': 'text',
    },
) }}
