with custom_fields as (

{{ pluvo.pivot_custom_fields(ref('pluvo__lms_custom_field_values'), 'user') }}
)

select
    users.organization,
    users.user_id,
    users.user_ref,
    users.user_name,
    users.email,
    users.language,
    -- Whoever left after the day that is reported for was still there on that day.
    users.is_archived
    and (
        users.archived_at is null
        or {{ pluvo.local_day('users.archived_at') }} <= {{ pluvo.today() }}
    ) as is_archived,
    users.archived_at,
    users.invited_at,
    users.last_login_at,
    users.is_participant,
    users.is_trainer,
    users.is_manager,
    {{ pluvo.days_since('users.invited_at') }} as days_since_invitation,
    -- Only the newest login is known: if it was after that day, nobody can say when the one before was.
    case
        when {{ pluvo.days_since('users.last_login_at') }} < 0 then 0
        else {{ pluvo.days_since('users.last_login_at') }}
    end as days_since_login
    {%- for column in pluvo.custom_field_columns('user') %},
    custom_fields.{{ column }}
    {%- endfor %}
from {{ ref('pluvo__lms_users') }} as users
left join custom_fields on users.user_id = custom_fields._owner_id
