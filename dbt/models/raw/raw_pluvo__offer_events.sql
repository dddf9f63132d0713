-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'offer_events') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'offer_events',
    key=['id'],
    columns={
        'id': 'text',
        'offer_id': 'text',
        'ref': 'text',
        'title': 'text',
        'type': 'text',
        'max_subscriptions': 'integer',
        'min_subscriptions': 'integer',
        'enrolled_count': 'integer',
        'spots_available': 'integer',
        'waiting_list': 'boolean',
        'closing_date': 'timestamp',
        'price': 'number',
        'cancelled': 'boolean',
        'publish': 'boolean',
        'certificate_id': 'text',
        'score_threshold': 'number',
        'trainer_ids': 'text',
        'access_training_ids': 'text',
        'access_course_ids': 'text',
        'access_external_content_ids': 'text',
        'access_scorm_ids': 'text',
        'access_video_ids': 'text',
    },
) }}
