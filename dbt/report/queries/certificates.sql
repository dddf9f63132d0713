select
    views.group_id,
    views.field_value,
    certificates.certificate_title as title,
    cast(date_trunc('month', certificates.expires_on) as date) as month,
    count(*) as certificates,
    count(case when certificates.expires_on >= as_of.reported_on then 1 end) as ending,
    count(case when certificates.certificate_status = 'expiring' then 1 end) as expiring,
    count(case when certificates.certificate_status = 'expired' then 1 end) as expired
from views
inner join pluvo__fct_certificates as certificates on views.user_id = certificates.user_id
cross join pluvo__rpt_as_of as as_of
where certificates.is_current and not views.is_archived
group by 1, 2, 3, 4
