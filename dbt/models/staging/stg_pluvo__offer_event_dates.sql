-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'offer_event_dates',
    key=['id'],
    columns={
        'id': 'text',
        'offer_event_id': 'text',
        'start_date': 'timestamp',
        'end_date': 'timestamp',
    },
) }}
