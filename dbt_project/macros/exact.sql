{# Ratios and verdicts from exact figures. PostgreSQL's numeric `/` already rounds, so rounding its
   result would round twice; div() truncates exactly. #}

{# numerator ÷ denominator, rounded once, half away from zero, to 9 decimals; null for zero. #}
{% macro exact_ratio(numerator, denominator) -%}
    case
        when ({{ denominator }}) <> 0
            then
                sign(({{ numerator }})::numeric) * sign(({{ denominator }})::numeric)
                * div(
                    2 * 1000000000::numeric * abs({{ numerator }}) + abs({{ denominator }}),
                    2 * abs(({{ denominator }})::numeric)
                )
                * 0.000000001
    end
{%- endmacro %}

{# numerator ÷ denominator < target, without dividing; null for zero or without a target. #}
{% macro is_ratio_below(numerator, denominator, target) -%}
    case
        when ({{ denominator }}) > 0
            then ({{ numerator }}) < ({{ target }}) * ({{ denominator }})
        when ({{ denominator }}) < 0
            then ({{ numerator }}) > ({{ target }}) * ({{ denominator }})
    end
{%- endmacro %}
