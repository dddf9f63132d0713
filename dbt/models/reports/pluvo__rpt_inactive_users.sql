with active_users as (

    select
        *,
        -- If the organization's API does not return last logins, there are no inactive users to report.
        count(last_login_at) over (partition by organization) as users_with_login
    from {{ ref('pluvo', 'pluvo__dim_users') }}
    where not is_archived

)

select
    organization,
    user_id,
    user_ref,
    user_name,
    email,
    invited_at,
    last_login_at,
    days_since_login,
    case when last_login_at is null then 'never_signed_in' else 'inactive' end as inactivity
from active_users
where
    users_with_login > 0
    -- Someone who has just been invited has not had the time to sign in.
    and coalesce(days_since_login, days_since_invitation, {{ var('pluvo_inactive_days') }})
    >= {{ var('pluvo_inactive_days') }}
