{# What people read instead of a code (config/labels.yml): texts, and the order of charts. #}

{# The labels of a code in both languages, as `<name>_vi` and `<name>_en`. An unlisted code is shown
   as it is. #}
{% macro labels_of(kind, code, name) -%}
    {%- for language in ['vi', 'en'] -%}
        {{ label_of(kind, code, language) }} as {{ name }}_{{ language }}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro label_of(kind, code, language) -%}
    {%- set labels = var('labels').get(kind, []) if var('labels') is mapping else [] -%}
    case {{ code }}
    {%- for label in labels %}
            when {{ text_literal(label['code']) }} then {{ text_literal(label[language]) }}
    {%- endfor %}
        when null then null
        else {{ code }}
    end
{%- endmacro %}

{# The place of a code in the register; unlisted codes are last. #}
{% macro label_order(kind, code) -%}
    {%- set labels = var('labels').get(kind, []) if var('labels') is mapping else [] -%}
    case {{ code }}
    {%- for label in labels %}
            when {{ text_literal(label['code']) }} then {{ loop.index }}
    {%- endfor %}
        when null then null
        else {{ labels | length + 1 }}
    end
{%- endmacro %}

{# The name of an agency without "Bảo hiểm xã hội" and the kind of its unit, for charts. A province
   is the whole of it, and can have a city of the same name. #}
{% macro agency_short_name(name, is_province) -%}
    case
        when {{ is_province }} then 'Toàn ' || regexp_replace(
            {{ name }}, '^\s*(bảo\s+hiểm\s+xã\s+hội|bhxh)\s+(?=\S)', '', 'i'
        )
        else regexp_replace(
            {{ name }},
            '^\s*(bảo\s+hiểm\s+xã\s+hội|bhxh)\s+((huyện|thị\s+xã|thành\s+phố|tp\.?|quận|cơ\s+sở)\s+)?(?=\S)',
            '',
            'i'
        )
    end
{%- endmacro %}

{# The columns of every report that say of which agency a row is. #}
{% macro agency_columns(agencies) -%}
    {{ agency_name_columns(agencies) }}
        {{ agencies }}.is_province,
{%- endmacro %}

{# Those that a fact has not. #}
{% macro agency_name_columns(agencies) -%}
    {%- for column in [
        'agency_name', 'agency_short_name', 'agency_level', 'agency_order', 'province_code'
    ] %}
        {{ agencies }}.{{ column }},
    {%- endfor %}
{%- endmacro %}

{# The columns of every report that say which metric a row shows, and how to read it. #}
{% macro metric_columns(metrics) -%}
    {%- for column in [
        'metric_name_vi', 'metric_name_en', 'metric_short_name_vi', 'metric_short_name_en',
        'metric_order', 'kind_code', 'kind_vi', 'kind_en', 'direction_code', 'direction_vi',
        'direction_en', 'unit_code', 'unit_vi', 'unit_en', 'additivity_code'
    ] %}
        {{ metrics }}.{{ column }},
    {%- endfor %}
{%- endmacro %}

{# What charts call whoever takes part in a ranking. #}
{% macro participant_short_name(standing) -%}
    case {{ standing }}.participant_type
        when 'agency'
            then coalesce(
                {{ agency_short_name(standing ~ '.participant_name', 'false') }},
                {{ standing }}.participant_code
            )
        else coalesce({{ standing }}.participant_name, {{ standing }}.participant_code)
    end
{%- endmacro %}

{# The columns that say in words what a row of points is. #}
{% macro point_labels(scored, periods) -%}
    {{ periods }}.period_name_vi,
    {{ periods }}.period_name_en,
    {{ labels_of('participant_type', scored ~ '.participant_type', 'participant_type') }},
    {{ participant_short_name(scored) }} as participant_short_name,
    {{ scored }}.metric_name_vi,
    {{ scored }}.metric_name_en,
    {{ labels_of('metric', scored ~ '.metric_code', 'metric_short_name') }},
    {{ label_order('metric', scored ~ '.metric_code') }} as metric_order,
    {{ scored }}.direction_code,
    {{ labels_of('direction', scored ~ '.direction_code', 'direction') }},
    {{ scored }}.unit_code,
    {{ labels_of('unit', scored ~ '.unit_code', 'unit') }},
    {{ labels_of('points_result', scored ~ '.result_code', 'result') }},
    {{ label_order('points_result', scored ~ '.result_code') }} as result_order,
    {{ labels_of('ranking_state', "'provisional'", 'ranking_state') }},
    {{ periods }}.data_as_of
{%- endmacro %}

{# One number of the leaders; all of them are of the same leader. #}
{% macro of_first_leader(number) -%}
    (array_agg({{ number }} order by ordered.participant_code collate "C"))[1]
{%- endmacro %}
