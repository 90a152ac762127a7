{# A foreign key checked once over the whole table: inline it would be checked row by row. #}
{% macro add_foreign_key(column, dimension, dimension_column) -%}
    alter table {{ this }} add foreign key ({{ column }})
    references {{ ref(dimension) }} ({{ dimension_column }})
{%- endmacro %}
