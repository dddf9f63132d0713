-- Generated from schemas/ by dbt/generate_staging.py: change it there.
-- depends_on: {{ source('pluvo', 'users') }}
{{ config(unique_key=['organization', 'id']) }}
{{ pluvo.merge_files(
    'users',
    key=['id'],
    columns={
        'id': 'text',
        'ref': 'text',
        'name': 'text',
        'email': 'text',
        'archived': 'boolean',
        'archived_at': 'timestamp',
        'is_active': 'boolean',
        'roles': 'text',
        'language': 'text',
        'last_login': 'timestamp',
        'invited_on': 'timestamp',
        'has_password': 'boolean',
        'group_count': 'integer',
        'profile_image_url': 'text',
        'extra_fields': 'text',
        'extra_fields_profile': 'text',
        'user_via': 'text',
        'model_id': 'text',
        'afas_person_id': 'text',
        'afas_employee_id': 'text',
        'afas_contact_id': 'text',
        'afas_connection_id': 'text',
    },
) }}
