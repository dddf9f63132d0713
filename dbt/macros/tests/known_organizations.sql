{#- Each line of the seed holds for someone: a misspelt organization would make it a rule for nobody. -#}
{% test known_organizations(model) %}
select lines.organization
from {{ ref('pluvo__requirements') }} as lines
left join {{ ref('pluvo__lms_users') }} as users
    on cast(lines.organization as {{ dbt.type_string() }}) = users.organization
where
    lines.organization is not null
    and users.organization is null
    and (select count(*) from {{ ref('pluvo__lms_users') }}) > 0
{% endtest %}
