select
    organization,
    lower(owner_type) as owner_type,
    {{ pluvo.global_id('owner_id') }} as owner_id,
    field_id,
    field_title,
    value_key,
    -- Only one of them is set. Fields of type date hold a day, as a timestamp at midnight.
    coalesce(
        string_value,
        choice_value,
        case when boolean_value then 'true' when not boolean_value then 'false' end,
        cast(cast(datetime_value as date) as {{ dbt.type_string() }}),
        other_value
    ) as field_value
from {{ ref('pluvo', 'stg_pluvo__custom_field_values') }}
