select *
from pluvo__rpt_overview
where coalesce(organization, '') = '$organization'
