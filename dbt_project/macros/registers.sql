{# The registers of config/ as SQL. They are variables of dbt; the build records them by hash. #}

{% macro text_literal(value) -%}
    {%- if value is none -%}
        null::text
    {%- else -%}
        '{{ (value | string).replace("'", "''") }}'::text
    {%- endif -%}
{%- endmacro %}

{# A measure's value for a month in config/measures.yml: the newest entry that is not later. #}
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

{# The metric of a plan's measure (chi_tieu); null if the register has none. #}
{% macro metric_of_plan(plan_code) -%}
    case {{ plan_code }}
    {%- for metric in var('metrics') %}
            when {{ text_literal(metric['plan_code']) }} then {{ text_literal(metric['code']) }}
    {%- endfor %}
        when null then null
    end
{%- endmacro %}

{# Translates the source's status of an employer. #}
{% macro employer_status(column) -%}
    case {{ column }}
        when 'HOAT_DONG' then 'active'
        when 'TAM_DUNG' then 'suspended'
        when 'GIAI_THE' then 'dissolved'
        when 'PHA_SAN' then 'bankrupt'
    end
{%- endmacro %}
