with people as (

    select
        organization,
        user_id
    from {{ ref('pluvo', 'pluvo__dim_users') }}
    where not is_archived

),

chosen_values as (

    select distinct
        people.organization,
        people.user_id,
        fields.field_title as attribute,
        fields.field_value as attribute_value
    from {{ ref('pluvo__lms_custom_field_values') }} as fields
    inner join people on fields.owner_id = people.user_id
    where
        fields.owner_type = 'user'
        and fields.field_value is not null
        and {{ pluvo.is_custom_field(pluvo.chosen_custom_fields('user')) }}

),

attributes as (

    select distinct
        organization,
        attribute
    from chosen_values

),

compliance as (

    select
        user_id,
        min(case when is_compliant then 1 else 0 end) as is_compliant
    from {{ ref('pluvo', 'pluvo__fct_compliance_person') }}
    group by user_id

),

assignments as (

    select
        user_id,
        count(*) as assignments,
        count(case when assignment_status = 'completed' then 1 end) as assignments_completed,
        count(case when is_overdue then 1 end) as overdue
    from {{ ref('pluvo', 'pluvo__fct_training_assignments') }}
    where is_current and not coalesce(is_training_archived, false)
    group by user_id

),

totals as (

    select
        people.organization,
        attributes.attribute,
        chosen_values.attribute_value,
        count(*) as people,
        count(compliance.user_id) as people_required,
        count(case when compliance.is_compliant = 1 then 1 end) as people_compliant,
        cast(sum(coalesce(assignments.assignments, 0)) as {{ dbt.type_bigint() }}) as assignments,
        cast(sum(coalesce(assignments.assignments_completed, 0)) as {{ dbt.type_bigint() }}) as assignments_completed,
        cast(sum(coalesce(assignments.overdue, 0)) as {{ dbt.type_bigint() }}) as overdue
    from people
    -- Whoever has no value of an attribute is counted as well.
    inner join attributes on {{ pluvo.same_organization('people', 'attributes') }}
    left join chosen_values
        on people.user_id = chosen_values.user_id and attributes.attribute = chosen_values.attribute
    left join compliance on people.user_id = compliance.user_id
    left join assignments on people.user_id = assignments.user_id
    group by people.organization, attributes.attribute, chosen_values.attribute_value

)

select
    organization,
    attribute,
    attribute_value as value,
    people,
    people_required,
    people_compliant,
    {{ pluvo.share('people_compliant', 'people_required') }} as compliant_share,
    assignments,
    assignments_completed,
    {{ pluvo.share('assignments_completed', 'assignments') }} as completed_share,
    overdue
from totals
