-- 2015 to 2039. No query is needed to know how many days that is, unlike with dbt's date_spine.
select
    cast({{ dbt.dateadd('day', 'generated_number - 1', "cast('2015-01-01' as date)") }} as date) as date_day
from ({{ dbt.generate_series(9131) }}) as days
