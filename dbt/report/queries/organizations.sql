select distinct coalesce(organization, '') as organization
from pluvo__rpt_overview
