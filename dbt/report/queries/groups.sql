select
    group_id,
    coalesce(group_name, group_ref, group_id) as name,
    participants
from pluvo__dim_groups
where coalesce(organization, '') = '$organization' and participants > 0
