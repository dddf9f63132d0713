select
    organization,
    training_id,
    training_ref,
    training_title,
    is_published,
    is_archived,
    opens_on,
    closes_on,
    estimated_time,
    count(*) over (partition by organization, training_title) as trainings_with_title
from {{ ref('pluvo__lms_trainings') }}
