-- Generated from schemas/ by dbt/generate_staging.py: change it there.
{{ pluvo.stage(
    'issued_certificates',
    key=['id'],
    columns={
        'id': 'text',
        'user_id': 'text',
        'user_ref': 'text',
        'user_name': 'text',
        'user_email': 'text',
        'title': 'text',
        'completion_date': 'date',
        'end_date': 'date',
    },
    read_by='completion_date',
    result_of=['user_id', 'title'],
) }}
