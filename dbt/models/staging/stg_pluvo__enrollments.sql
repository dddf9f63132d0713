-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'enrollments',
    key=['id'],
    columns={
        'id': 'text',
        'user_id': 'text',
        'offer_event_id': 'text',
        'status': 'text',
        'enrolled_at': 'timestamp',
    },
    read_by='enrolled_at',
) }}
