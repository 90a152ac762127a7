{# Whether an employer's legal status makes its debt hard to collect, by the dated configuration;
   false for months before the first entry. #}
{% macro is_hard_to_collect(month, status) -%}
    {%- set measures = var('measures') -%}
    {%- set entries = measures.get('debt_classes', []) if measures is mapping else [] -%}
    case
    {%- for entry in entries | sort(attribute='from', reverse=true) %}
        {%- set codes = entry['hard_to_collect_statuses'] | join(',') %}
            when {{ month }} >= date '{{ entry["from"] }}-01'
                then {{ status }} = any(string_to_array({{ text_literal(codes) }}, ','))
    {%- endfor %}
        when true then false
    end
{%- endmacro %}
