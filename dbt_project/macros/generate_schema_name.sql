{# A build writes one schema and nothing else, so that a scratch build can never touch another. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}
{%- endmacro %}
