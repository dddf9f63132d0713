{#- Each rule names an existing group: a misspelt name would hide that nobody complies. -#}
{% test known_groups(model) %}
select rules.audience
from {{ model }} as rules
left join {{ ref('pluvo__lms_groups') }} as user_groups
    on
        rules.audience in (user_groups.group_ref, user_groups.group_name)
        and {{ pluvo.same_organization('rules', 'user_groups') }}
where
    rules.audience_type = 'group'
    and user_groups.group_id is null
    and (select count(*) from {{ ref('pluvo__lms_groups') }}) > 0
{% endtest %}
