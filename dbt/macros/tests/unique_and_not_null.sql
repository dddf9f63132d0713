{#-
  Together, the columns identify a row: no two rows agree in all of them. None is null, except in
  the columns of `nullable`, which are part of the key as well.
-#}
{% test unique_and_not_null(model, columns, nullable=[]) %}
{%- set key = (columns + nullable) | join(', ') %}
select {{ key }}, count(*) as copies
from {{ model }}
group by {{ key }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
