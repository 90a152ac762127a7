{# What is said of a figure beside its plan, whoever's it is. Each macro reads kind_code,
   direction_code, numerator, denominator, plan_original and plan_in_force of the CTE it stands in;
   `actual` is the column with what was counted to date. #}

{# A ratio's attainment is rounded once, from the fraction, not from its rounded value. #}
{% macro attainment_ratio(actual) -%}
    case
        when kind_code = 'ratio'
            then {{ exact_ratio('numerator', 'denominator * plan_in_force') }}
        else {{ exact_ratio(actual, 'plan_in_force') }}
    end
{%- endmacro %}

{# Judged on unrounded figures; null where there is nothing to judge by. #}
{% macro is_plan_met(actual) -%}
    case
        when kind_code = 'ratio' and direction_code = 'below'
            then {{ is_ratio_below('numerator', 'denominator', 'plan_in_force') }}
        when kind_code = 'ratio'
            then not {{ is_ratio_below('numerator', 'denominator', 'plan_in_force') }}
        when direction_code = 'below' then {{ actual }} < plan_in_force
        else {{ actual }} >= plan_in_force
    end
{%- endmacro %}

{# In force, assigned as 0, assigned for later, or never assigned. #}
{% macro plan_status() -%}
    case
        when plan_in_force is null and plan_original is null then 'none'
        when plan_in_force is null then 'not_yet'
        when plan_in_force = 0 then 'zero'
        else 'in_force'
    end
{%- endmacro %}

{# Of a month and to date: summed over what was collected, not over rows shown, so that months out
   of force count to date as well. `keys` are the columns that both sides have. #}
{% macro collected_to_date(keys, collections) -%}
    select
        {%- for key in keys %}
        universe.{{ key }},
        {%- endfor %}
        universe.month,
        sum(collections.collected_vnd) filter (
            where collections.month = universe.month
        ) as of_month_vnd,
        sum(collections.collected_vnd) as to_date_vnd
    from universe
    inner join {{ collections }} as collections
        on
            {%- for key in keys %}
            universe.{{ key }} = collections.{{ key }} and
            {%- endfor %}
            collections.month between universe.year_start_month and universe.month
    group by
        {%- for key in keys %}
        universe.{{ key }},
        {%- endfor %}
        universe.month
{%- endmacro %}
