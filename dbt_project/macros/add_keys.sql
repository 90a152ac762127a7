{# Keys of large facts, added when the table is full: keys in its definition check row by row. #}

{% macro add_primary_key(columns) -%}
    alter table {{ this }} add primary key ({{ columns | join(', ') }})
{%- endmacro %}

{% macro add_foreign_key(column, dimension, dimension_column) -%}
    alter table {{ this }} add foreign key ({{ column }})
    references {{ ref(dimension) }} ({{ dimension_column }})
{%- endmacro %}
