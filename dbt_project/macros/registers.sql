{# The registers of config/ as SQL. They arrive as variables: the build keeps them by hash. #}

{% macro text_literal(value) -%}
    {%- if value is none -%}
        null::text
    {%- else -%}
        '{{ (value | string).replace("'", "''") }}'::text
    {%- endif -%}
{%- endmacro %}

{# The value that config/measures.yml gives a measure for a month: the newest entry not after it. #}
{% macro dated_measure(measure, month, kind) -%}
    {%- set measures = var('measures') -%}
    {%- set entries = measures.get(measure, []) if measures is mapping else [] -%}
    case
    {%- for entry in entries | sort(attribute='from', reverse=true) %}
            when {{ month }} >= date '{{ entry["from"] }}-01'
                then '{{ entry["value"] | string | lower }}'::{{ kind }}
    {%- endfor %}
        when true then null::{{ kind }}
    end
{%- endmacro %}

{# The metric that a plan's measure (chi_tieu) belongs to; null for one the register lacks. #}
{% macro metric_of_plan(plan_code) -%}
    case {{ plan_code }}
    {%- for metric in var('metrics') %}
            when {{ text_literal(metric['plan_code']) }} then {{ text_literal(metric['code']) }}
    {%- endfor %}
        when null then null
    end
{%- endmacro %}

{# The source's status of an employer in our words. #}
{% macro employer_status(column) -%}
    case {{ column }}
        when 'HOAT_DONG' then 'active'
        when 'TAM_DUNG' then 'suspended'
        when 'GIAI_THE' then 'dissolved'
        when 'PHA_SAN' then 'bankrupt'
    end
{%- endmacro %}
