{#- Each requirement names an existing group: a misspelt name would hide that nobody complies. -#}
{% test known_groups(model) %}
with names as (

    select group_ref as group_ref_or_name from {{ ref('pluvo__lms_groups') }}
    union all
    select group_name as group_ref_or_name from {{ ref('pluvo__lms_groups') }}

)

select required.group_ref_or_name
from {{ model }} as required
left join names on required.group_ref_or_name = names.group_ref_or_name
where
    names.group_ref_or_name is null
    and required.group_ref_or_name <> '*'
    and (select count(*) from names) > 0
{% endtest %}
