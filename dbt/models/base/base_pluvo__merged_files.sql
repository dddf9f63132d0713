{#- The models of raw/ add the rows. Without these, files that were pruned could not be told from new ones. -#}
{{ config(
    enabled=target.type == 'duckdb',
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
) }}
select
    cast(null as text) as stream,
    cast(null as text) as file,
    cast(null as bigint) as bytes,
    cast(null as timestamp) as modified_at,
    cast(null as text) as contract,
    cast(null as timestamp) as merged_at
limit 0
