{# A build writes only one schema, so that a scratch build can never change another one. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}
{%- endmacro %}
