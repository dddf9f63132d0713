{#- Each requirement names an existing certificate: a misspelt title would show everyone as missing it. -#}
{% test known_certificates(model) %}
with titles as (

    select certificate_title from {{ ref('pluvo__lms_certificate_templates') }}
    union all
    select certificate_title from {{ ref('pluvo__lms_certificates') }}

)

select required.certificate_title
from {{ model }} as required
left join titles on required.certificate_title = titles.certificate_title
where titles.certificate_title is null and (select count(*) from titles) > 0
{% endtest %}
