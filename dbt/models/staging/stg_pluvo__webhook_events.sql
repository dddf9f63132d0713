-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'webhook_events',
    key=['sequence'],
    columns={
        'sequence': 'integer',
        'event': 'text',
        'object_type': 'text',
        'object_id': 'text',
        'ref': 'text',
        'sent_at': 'timestamp',
        'received_at': 'timestamp',
        'payload': 'text',
    },
) }}
