select *
from pluvo__rpt_to_do
where coalesce(organization, '') = '$organization'
