with tasks as (

    select
        organization,
        user_id,
        required_type as task,
        compliance_id as task_id,
        required_title as title,
        requirement_status as task_status,
        coalesce(case when is_compliant then due_on end, expires_on) as due_on,
        not is_compliant as is_overdue
    from {{ ref('pluvo', 'pluvo__fct_compliance_person') }}
    where requirement_status <> 'held'
    union all
    -- What is assigned, unless it is required as well.
    select
        assigned.organization,
        assigned.user_id,
        'training' as task,
        assigned.assignment_id as task_id,
        assigned.training_title as title,
        assigned.assignment_status as task_status,
        assigned.due_on,
        coalesce(assigned.is_overdue, false) as is_overdue
    from {{ ref('pluvo', 'pluvo__fct_training_assignments') }} as assigned
    left join {{ ref('pluvo', 'pluvo__fct_compliance_person') }} as required
        on
            assigned.user_id = required.user_id
            and assigned.training_title = required.required_title
            and required.required_type = 'training'
    where
        assigned.is_current
        and assigned.assignment_status <> 'completed'
        and not coalesce(assigned.is_training_archived, false)
        and required.compliance_id is null

),

memberships as (

    select
        participants.user_id,
        user_groups.group_id,
        coalesce(user_groups.group_name, user_groups.group_ref, user_groups.group_id) as group_name,
        managers.user_id as manager_id,
        count(managers.user_id) over (partition by participants.user_id) as managers
    from {{ ref('pluvo', 'pluvo__bridge_group_members') }} as participants
    inner join {{ ref('pluvo', 'pluvo__dim_groups') }} as user_groups on participants.group_id = user_groups.group_id
    left join {{ ref('pluvo', 'pluvo__bridge_group_members') }} as managers
        on
            participants.group_id = managers.group_id
            and managers.member_role = 'manager'
            and managers.is_current
    where participants.member_role = 'participant' and participants.is_current

),

managed as (

    select
        user_id,
        manager_id,
        {{ dbt.listagg(measure='group_name', delimiter_text="', '", order_by_clause='order by group_id') }} as group_names
    from memberships
    -- Groups without a manager matter only for people whose groups have none at all.
    where manager_id is not null or managers = 0
    group by user_id, manager_id

)

select
    tasks.organization,
    {{ dbt.concat(['tasks.task', "'|'", 'tasks.task_id', "'|'", "coalesce(managed.manager_id, '')"]) }} as to_do_id,
    tasks.user_id,
    users.user_ref,
    users.user_name,
    users.email,
    tasks.task,
    tasks.title,
    tasks.task_status,
    tasks.due_on,
    tasks.is_overdue,
    managed.group_names,
    managed.manager_id,
    managers.user_name as manager_name,
    managers.email as manager_email
from tasks
inner join {{ ref('pluvo', 'pluvo__dim_users') }} as users on tasks.user_id = users.user_id
left join managed on tasks.user_id = managed.user_id
left join {{ ref('pluvo', 'pluvo__dim_users') }} as managers on managed.manager_id = managers.user_id
