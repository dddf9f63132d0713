select
    {{ pluvo.today() }} as reported_on,
    {{ var('pluvo_expiring_days') }} as expiring_days,
    {{ var('pluvo_inactive_days') }} as inactive_days
