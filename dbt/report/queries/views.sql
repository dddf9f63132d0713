-- One row for each person and view of the page: all, by group, by value of the chosen field, by both.
-- Those who left stay in it, since they are part of the past.
with people as (

    select
        user_id,
        is_archived
    from pluvo__dim_users
    where coalesce(organization, '') = '$organization'

),

largest_groups as (

    select group_id
    from pluvo__dim_groups
    where coalesce(organization, '') = '$organization' and participants > 0
    order by participants desc, group_id
    limit $most

),

answers as (

    select distinct
        people.user_id,
        people.is_archived,
        coalesce(field_values.field_value, '') as field_value
    from people
    left join pluvo__lms_custom_field_values as field_values
        on
            people.user_id = field_values.owner_id
            and field_values.owner_type = 'user'
            and '$field' in (field_values.field_title, field_values.field_id)
    where '$field' <> ''

),

common_values as (

    select field_value
    from answers
    where not is_archived
    group by field_value
    order by count(*) desc, field_value
    limit $most

),

by_group as (

    select
        user_id,
        cast(null as varchar) as group_id
    from people
    union all
    select
        members.user_id,
        members.group_id
    from pluvo__bridge_group_members as members
    inner join largest_groups on members.group_id = largest_groups.group_id
    where members.member_role = 'participant'

),

by_value as (

    select
        user_id,
        cast(null as varchar) as field_value
    from people
    union all
    select
        answers.user_id,
        answers.field_value
    from answers
    inner join common_values on answers.field_value = common_values.field_value

),

views as (

    select
        people.user_id,
        people.is_archived,
        by_group.group_id,
        by_value.field_value
    from people
    inner join by_group on people.user_id = by_group.user_id
    inner join by_value on people.user_id = by_value.user_id

)

