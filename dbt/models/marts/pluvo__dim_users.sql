select
    organization,
    user_id,
    user_ref,
    user_name,
    email,
    language,
    -- Whoever left after the day that is reported for was still there on that day.
    is_archived
    and (archived_at is null or {{ pluvo.local_day('archived_at') }} <= {{ pluvo.today() }}) as is_archived,
    archived_at,
    invited_at,
    last_login_at,
    is_participant,
    is_trainer,
    is_manager,
    {{ pluvo.days_since('invited_at') }} as days_since_invitation,
    -- Only the newest login is known: if it was after that day, nobody can say when the one before was.
    case
        when {{ pluvo.days_since('last_login_at') }} < 0 then 0
        else {{ pluvo.days_since('last_login_at') }}
    end as days_since_login
from {{ ref('pluvo__lms_users') }}
