select
    views.group_id,
    views.field_value,
    required.required_title as title,
    required.requirement_status,
    count(*) as people,
    count(case when required.requirement_status in ('held', 'expiring') then 1 end) as held
from views
inner join pluvo__fct_compliance_person as required on views.user_id = required.user_id
where not views.is_archived
group by 1, 2, 3, 4
