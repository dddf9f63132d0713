select
    views.group_id,
    views.field_value,
    count(distinct views.user_id) as people_required,
    count(distinct views.user_id)
    - count(distinct case when not required.is_compliant then views.user_id end) as people_compliant
from views
inner join pluvo__fct_compliance_person as required on views.user_id = required.user_id
where not views.is_archived
group by 1, 2
