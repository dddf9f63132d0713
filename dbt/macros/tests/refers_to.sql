{#-
  Each value exists in the column it refers to. Like dbt's `relationships`, but silent while the
  parent is empty: a stream that is not selected is not an error.
-#}
{% test refers_to(model, column_name, to, field) %}
select child.{{ column_name }}
from {{ model }} as child
left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
where
    child.{{ column_name }} is not null
    and parent.{{ field }} is null
    and (select count(*) from {{ to }}) > 0
{% endtest %}
