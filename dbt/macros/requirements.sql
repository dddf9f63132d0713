{#-
  If several rules require the same of a person, the one that the person is furthest from meeting
  counts: sorts that one first.
-#}
{% macro strictest_first() -%}
  case requirement_status
    when 'missing' then 1
    when 'expired' then 2
    when 'in_grace' then 3
    when 'expiring' then 4
    else 5
  end,
  coalesce(expires_on, cast('9999-12-31' as date)),
  coalesce(due_on, cast('9999-12-31' as date)),
  rule_id,
  group_id
{%- endmacro %}

{#- Whoever is still in the days of grace is not to blame. -#}
{% macro is_compliant() -%}
  requirement_status in ('held', 'expiring', 'in_grace')
{%- endmacro %}
