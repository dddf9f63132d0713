{#- Each rule names an existing certificate or training: a misspelt title would show everyone as missing it. -#}
{% test known_titles(model) %}
with titles as (

    select organization, 'certificate' as required_type, certificate_title as title
    from {{ ref('pluvo__lms_certificate_templates') }}
    union all
    select organization, 'certificate' as required_type, certificate_title as title
    from {{ ref('pluvo', 'pluvo__fct_certificates') }}
    union all
    select organization, 'training' as required_type, training_title as title
    from {{ ref('pluvo__lms_trainings') }}
    union all
    select organization, 'training' as required_type, training_title as title
    from {{ ref('pluvo', 'pluvo__fct_training_progress') }}

),

known as (

    select organization, required_type, title from titles where title is not null

)

select rules.required_type, rules.required_title
from {{ model }} as rules
left join known
    on
        rules.required_type = known.required_type
        and rules.required_title = known.title
        and {{ pluvo.same_organization('rules', 'known') }}
where
    known.title is null
    and rules.required_type in (select known.required_type from known)
{% endtest %}
