select
    {{ pluvo.today() }} as reported_on,
    cast({{ var('pluvo_expiring_days') }} as {{ dbt.type_bigint() }}) as expiring_days,
    cast({{ var('pluvo_inactive_days') }} as {{ dbt.type_bigint() }}) as inactive_days
