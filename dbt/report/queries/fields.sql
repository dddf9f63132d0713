select distinct
    field_title,
    field_id
from pluvo__lms_custom_field_values
where owner_type = 'user' and coalesce(organization, '') = '$organization'
