{# Points of the ranking from exact fractions, and figures as texts for people. #}

{# numerator ÷ denominator as an integer with the same order: equal fractions give equal integers,
   and different fractions of figures below 10^25 differ by more than 10^-100. #}
{% macro fraction_order(numerator, denominator) -%}
    div(({{ numerator }}) * '1e100'::numeric, {{ denominator }})
{%- endmacro %}

{# numerator ÷ denominator (neither negative), rounded once, half up, to multiples of point_unit. #}
{% macro rounded_points(numerator, denominator, point_unit) -%}
    div(
        2 * ({{ numerator }}) + ({{ denominator }}) * {{ point_unit }},
        2 * ({{ denominator }}) * {{ point_unit }}
    ) * {{ point_unit }}
{%- endmacro %}

{# 1.234.567,89 in Vietnamese, 1,234,567.89 in English; rounded half away from zero. #}
{% macro number_text(value, decimals, language) -%}
    {%- set digits -%}
        to_char(
            {{ value }},
            'FM999,999,999,999,999,999,999,990'
            || case when {{ decimals }} > 0 then '.' || repeat('0', {{ decimals }}) else '' end
        )
    {%- endset -%}
    {%- if language == 'vi' -%}
        translate({{ digits }}, ',.', '.,')
    {%- else -%}
        {{ digits }}
    {%- endif -%}
{%- endmacro %}

{# A number with all its decimals, e.g. a weight. #}
{% macro plain_text(value, language) -%}
    {{ number_text(value, 'scale(trim_scale(' ~ value ~ '))', language) }}
{%- endmacro %}

{# A fraction as per cent, with two decimals, or seven if two make it look equal to `beside`. #}
{% macro percent_text(value, beside, language) -%}
    {{ number_text(
        '(100 * (' ~ value ~ '))',
        'case when round((' ~ value ~ ')::numeric, 4) = round((' ~ beside ~ ')::numeric, 4) and ('
        ~ value ~ ') <> (' ~ beside ~ ') then 7 else 2 end',
        language
    ) }} || '{{ " %" if language == "vi" else "%" }}'
{%- endmacro %}

{# A fraction as per cent with all its decimals, but at least two and at most seven. #}
{% macro written_percent_text(value, language) -%}
    {{ number_text(
        '(100 * (' ~ value ~ '))',
        'greatest(2, least(7, scale(trim_scale(100 * (' ~ value ~ ')))))',
        language
    ) }} || '{{ " %" if language == "vi" else "%" }}'
{%- endmacro %}

{# A metric's figure with its unit; without `beside` it is a plan and has all its decimals. #}
{% macro figure_text(value, unit, beside, language) -%}
    case {{ unit }}
        when 'person' then {{ number_text(value, '0', language) }}
            || '{{ " người" if language == "vi" else " persons" }}'
        when 'vnd' then {{ number_text(value, '0', language) }} || ' đồng'
        else {{ percent_text(value, beside, language) if beside is not none
            else written_percent_text(value, language) }}
    end
{%- endmacro %}

{# The difference between a figure and its plan, without a sign. #}
{% macro distance_text(value, unit, language) -%}
    case
        when {{ unit }} <> 'fraction' then {{ figure_text(value, unit, '0', language) }}
        else replace(
            {{ percent_text(value, '0', language) }},
            '{{ " %" if language == "vi" else "%" }}',
            '{{ " điểm phần trăm" if language == "vi" else " percentage points" }}'
        )
    end
{%- endmacro %}
