select
    organization,
    {{ pluvo.global_id('id') }} as user_id,
    ref as user_ref,
    name as user_name,
    email,
    language,
    -- `archived` is the API's newer field, `is_active` its older one: an organization has one of them.
    coalesce(archived, not is_active, archived_at is not null) as is_archived,
    archived_at,
    invited_on as invited_at,
    last_login as last_login_at,
    -- The roles are a JSON list of upper-case words, so a word in quotes is a role.
    roles like '%"PARTICIPANT"%' as is_participant,
    roles like '%"TRAINER"%' as is_trainer,
    roles like '%"MANAGER"%' as is_manager
from {{ ref('pluvo', 'stg_pluvo__users') }}
