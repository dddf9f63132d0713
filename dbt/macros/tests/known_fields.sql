{#- Some user has the value that a rule names: a misspelt one would hide that nobody complies. -#}
{% test known_fields(model) %}
select rules.audience, rules.audience_value
from {{ model }} as rules
left join {{ ref('pluvo__lms_custom_field_values') }} as field_values
    on
        rules.audience in (field_values.field_id, field_values.field_title)
        and rules.audience_value = field_values.field_value
        and field_values.owner_type = 'user'
        and {{ pluvo.same_organization('rules', 'field_values') }}
where
    rules.audience_type = 'custom_field'
    and field_values.owner_id is null
    and (select count(*) from {{ ref('pluvo__lms_custom_field_values') }}) > 0
{% endtest %}
