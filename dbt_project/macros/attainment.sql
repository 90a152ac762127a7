{# A figure compared with its plan, for agencies and officers. Each macro uses kind_code,
   direction_code, numerator, denominator, plan_original and plan_in_force of its CTE; `actual` is
   the column with the figure to date. #}

{# A ratio's attainment is rounded once: it is computed from the fraction, not the rounded ratio. #}
{% macro attainment_ratio(actual) -%}
    case
        when kind_code = 'ratio'
            then {{ exact_ratio('numerator', 'denominator * plan_in_force') }}
        else {{ exact_ratio(actual, 'plan_in_force') }}
    end
{%- endmacro %}

{# Computed from unrounded figures; null if there is no plan or no figure. #}
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

{# The plan is in force, assigned as 0, assigned for later, or never assigned. #}
{% macro plan_status() -%}
    case
        when plan_in_force is null and plan_original is null then 'none'
        when plan_in_force is null then 'not_yet'
        when plan_in_force = 0 then 'zero'
        else 'in_force'
    end
{%- endmacro %}

{# Collection of the month and to date. It sums the collections, not the rows shown, so that months
   in which the agency was not in force count to date, too. `keys` are the columns to join by. #}
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
