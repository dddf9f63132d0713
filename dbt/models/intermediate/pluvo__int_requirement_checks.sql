{{ config(materialized='table') }} {#- Two facts and their tests read it. -#}
{%- set forever = "cast('9999-12-31' as date)" -%}
{%- set long_ago = "cast('1900-01-01' as date)" -%}
with rules as (

    select * from {{ ref('pluvo', 'pluvo__dim_requirements') }}

),

people as (

    select * from {{ ref('pluvo', 'pluvo__int_memberships_monthly') }}

),

rule_groups as (

    select
        rules.rule_id,
        user_groups.group_id
    from rules
    inner join {{ ref('pluvo__lms_groups') }} as user_groups
        on
            rules.audience in (user_groups.group_ref, user_groups.group_name)
            and {{ pluvo.same_organization('rules', 'user_groups') }}
    where rules.audience_type = 'group'

),

rule_users as (

    select distinct
        rules.rule_id,
        field_values.owner_id as user_id
    from rules
    inner join {{ ref('pluvo__lms_custom_field_values') }} as field_values
        on
            rules.audience in (field_values.field_id, field_values.field_title)
            and rules.audience_value = field_values.field_value
            and {{ pluvo.same_organization('rules', 'field_values') }}
    where rules.audience_type = 'custom_field' and field_values.owner_type = 'user'

),

audiences as (

    select
        rules.rule_id,
        people.*
    from people
    inner join rules on {{ pluvo.same_organization('people', 'rules') }}
    where rules.audience_type = 'everyone'
    union all
    select
        rule_groups.rule_id,
        people.*
    from people
    inner join rule_groups on people.group_id = rule_groups.group_id
    union all
    select
        rule_users.rule_id,
        people.*
    from people
    inner join rule_users on people.user_id = rule_users.user_id

),

required as (

    select
        audiences.organization,
        audiences.month,
        audiences.as_of,
        audiences.is_closed,
        audiences.user_id,
        audiences.group_id,
        rules.rule_id,
        rules.required_type,
        rules.required_title,
        coalesce(rules.grace_days, 0) as grace_days,
        -- Of the values of custom fields, only today's are known.
        audiences.is_membership_known
        and (rules.audience_type <> 'custom_field' or not audiences.is_closed) as is_membership_known,
        nullif(greatest(
            coalesce(rules.valid_from, {{ long_ago }}),
            coalesce(audiences.invited_on, {{ long_ago }}),
            coalesce(case when rules.audience_type = 'group' then audiences.joined_on end, {{ long_ago }})
        ), {{ long_ago }}) as required_since
    from audiences
    inner join rules on audiences.rule_id = rules.rule_id
    where rules.valid_from is null or rules.valid_from <= audiences.as_of

),

evidence as (

    select
        organization,
        user_id,
        'certificate' as required_type,
        certificate_title as required_title,
        certificate_id as evidence_id,
        issued_on as obtained_on,
        expires_on
    from {{ ref('pluvo', 'pluvo__fct_certificates') }}
    union all
    select
        organization,
        user_id,
        'training' as required_type,
        training_title as required_title,
        result_id as evidence_id,
        completed_on as obtained_on,
        cast(null as date) as expires_on
    from {{ ref('pluvo', 'pluvo__fct_training_progress') }}
    where completed_on is not null

),

evidence_by_rule as (

    select
        rules.rule_id,
        evidence.user_id,
        evidence.evidence_id,
        evidence.obtained_on,
        coalesce(
            evidence.expires_on,
            cast({{ dbt.dateadd('month', 'rules.repeat_months', 'evidence.obtained_on') }} as date),
            {{ forever }}
        ) as held_through
    from rules
    inner join evidence
        on
            rules.required_type = evidence.required_type
            and rules.required_title = evidence.required_title
            and {{ pluvo.same_organization('rules', 'evidence') }}

),

compared as (

    -- The one rule for what counts, as in pluvo__fct_certificates: of what was obtained by a day, that
    -- which is valid longest; if that is equal, the newest, then the smallest identifier.
    select
        *,
        max(held_through) over (
            partition by rule_id, user_id
            order by obtained_on, held_through, evidence_id desc
            rows between unbounded preceding and 1 preceding
        ) as held_through_before
    from evidence_by_rule

),

deciding as (

    select
        *,
        lead(obtained_on) over (
            partition by rule_id, user_id
            order by obtained_on, held_through, evidence_id desc
        ) as decides_until
    from compared
    where held_through_before is null or held_through >= held_through_before

),

checked as (

    select
        required.*,
        cast({{ dbt.dateadd('day', 'required.grace_days', 'required.required_since') }} as date) as due_on,
        deciding.evidence_id,
        deciding.obtained_on,
        nullif(deciding.held_through, {{ forever }}) as expires_on
    from required
    left join deciding
        on
            required.rule_id = deciding.rule_id
            and required.user_id = deciding.user_id
            and deciding.obtained_on <= required.as_of
            and (deciding.decides_until is null or deciding.decides_until > required.as_of)

)

select
    organization,
    month,
    as_of,
    is_closed,
    rule_id,
    group_id,
    user_id,
    required_type,
    required_title,
    required_since,
    due_on,
    case
        when obtained_on is not null and expires_on is null then 'held'
        when {{ dbt.datediff('as_of', 'expires_on', 'day') }} > {{ var('pluvo_expiring_days') }} then 'held'
        when expires_on >= as_of then 'expiring'
        when grace_days > 0 and due_on >= as_of then 'in_grace'
        when obtained_on is null then 'missing'
        else 'expired'
    end as requirement_status,
    evidence_id,
    obtained_on,
    expires_on,
    {{ pluvo.days_between('as_of', 'expires_on') }} as days_left,
    is_membership_known
from checked
