select
    user_id,
    user_ref,
    user_name,
    email,
    language,
    is_archived,
    archived_at,
    invited_at,
    last_login_at,
    is_participant,
    is_trainer,
    is_manager,
    {{ dbt.datediff('cast(last_login_at as date)', pluvo.today(), 'day') }} as days_since_login
from {{ ref('lms_users') }}
