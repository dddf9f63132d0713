-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'portfolio_report') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'portfolio_report',
    key=['id'],
    columns={
        'id': 'text',
        'related_object_type': 'text',
        'user_id': 'text',
        'user_ref': 'text',
        'user_name': 'text',
        'user_email': 'text',
        'title': 'text',
        'progress': 'number',
        'score': 'number',
        'completion_date': 'date',
        'end_date': 'date',
        'time_spent_days': 'integer',
        'time_spent_seconds': 'integer',
    },
) }}
