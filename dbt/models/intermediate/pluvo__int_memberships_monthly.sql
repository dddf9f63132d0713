{%- set snap_users = ref('pluvo', 'pluvo__snap_users') -%}
{%- set snap_members = ref('pluvo', 'pluvo__snap_group_members') -%}
{%- set has_snapshots = pluvo.is_built(snap_users) and pluvo.is_built(snap_members) -%}
with users as (

    -- As of today. Who closed an account since was still there; who was invited since was not yet.
    select
        organization,
        user_id,
        is_participant,
        is_archived and archived_at is null as is_archived,
        {{ pluvo.local_day('invited_at') }} as invited_on,
        false as is_from_snapshot,
        {{ pluvo.local_day('invited_at') }} as valid_from,
        case when is_archived then {{ pluvo.local_day('archived_at') }} end as valid_to
    from {{ ref('pluvo', 'pluvo__dim_users') }}
    {%- if has_snapshots %}
    union all
    select
        organization,
        user_id,
        is_participant,
        is_archived,
        {{ pluvo.local_day('invited_at') }} as invited_on,
        true as is_from_snapshot,
        {{ pluvo.snapshot_day('dbt_valid_from') }} as valid_from,
        {{ pluvo.snapshot_day('dbt_valid_to') }} as valid_to
    from {{ snap_users }}
    {%- endif %}

),

members as (

    select
        group_id,
        user_id,
        false as is_from_snapshot,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from {{ ref('pluvo', 'pluvo__bridge_group_members') }}
    where member_role = 'participant'
    {%- if has_snapshots %}
    union all
    select
        group_id,
        user_id,
        true as is_from_snapshot,
        {{ pluvo.snapshot_day('dbt_valid_from') }} as valid_from,
        {{ pluvo.snapshot_day('dbt_valid_to') }} as valid_to
    from {{ snap_members }}
    where member_role = 'participant'
    {%- endif %}

),

organizations as (

    select
        organization,
        min(case when is_from_snapshot then valid_from end) as first_snapshot_on
    from users
    group by organization

),

months as (

    select
        organizations.organization,
        organizations.first_snapshot_on,
        months.month,
        months.as_of,
        months.is_closed,
        -- Today's members are those of today, even if the last snapshot is older.
        months.is_closed and coalesce(organizations.first_snapshot_on <= months.as_of, false) as is_from_snapshot
    from {{ ref('pluvo', 'pluvo__dim_months') }} as months
    cross join organizations

),

people as (

    select
        months.organization,
        months.first_snapshot_on,
        months.month,
        months.as_of,
        months.is_closed,
        months.is_from_snapshot,
        users.user_id,
        users.is_participant,
        users.invited_on
    from months
    inner join users
        on
            {{ pluvo.same_organization('months', 'users') }}
            and months.is_from_snapshot = users.is_from_snapshot
            and (users.valid_from is null or users.valid_from <= months.as_of)
            and (users.valid_to is null or users.valid_to > months.as_of)
    where not users.is_archived

),

first_seen as (

    select
        group_id,
        user_id,
        min(valid_from) as first_seen_on
    from members
    where is_from_snapshot
    group by group_id, user_id

)

select
    people.organization,
    people.month,
    people.as_of,
    people.is_closed,
    people.user_id,
    members.group_id,
    people.invited_on,
    -- When the members of the first snapshot joined is not known.
    case
        when first_seen.first_seen_on > people.first_snapshot_on and first_seen.first_seen_on <= people.as_of
            then first_seen.first_seen_on
    end as joined_on,
    people.is_from_snapshot or not people.is_closed as is_membership_known
from people
left join members
    on
        people.user_id = members.user_id
        and people.is_from_snapshot = members.is_from_snapshot
        and (members.valid_from is null or members.valid_from <= people.as_of)
        and (members.valid_to is null or members.valid_to > people.as_of)
left join first_seen on members.group_id = first_seen.group_id and members.user_id = first_seen.user_id
-- Someone without a group may be there to take part in trainings, or only to manage.
where members.group_id is not null or coalesce(people.is_participant, true)
