select
    training_id,
    training_title as title
from pluvo__dim_trainings
where coalesce(organization, '') = '$organization'
