{# Where a figure should be on the way to the year's plan, and one status for all metrics. The macros
   use kind_code, direction_code, plan_in_force, is_met and the columns of int_pace_months of their
   CTE. `actual` is the figure to date, `start` that of January. #}

{# The plan to date is plan_to_date_numerator ÷ plan_to_date_denominator, exactly. What must stay
   below its plan must do so on every day. A stock above its plan has nothing to grow. #}
{% macro plan_to_date_fraction(start) -%}
    case
        when kind_code = 'flow' and direction_code = 'at_least'
            then facts.plan_in_force * due_numerator
        when kind_code = 'stock' and direction_code = 'at_least'
            then
                least({{ start }}, facts.plan_in_force) * (stock_days_count - stock_days_passed_count)
                + facts.plan_in_force * stock_days_passed_count
        else facts.plan_in_force
    end as plan_to_date_numerator,
    case
        when kind_code = 'flow' and direction_code = 'at_least' then due_denominator
        when kind_code = 'stock' and direction_code = 'at_least' then stock_days_count
        else 1
    end as plan_to_date_denominator
{%- endmacro %}

{% macro plan_to_date() -%}
    {{ exact_ratio('plan_to_date_numerator', 'plan_to_date_denominator') }}
{%- endmacro %}

{# The figure by what is due to date. A ratio's is computed from the fraction, like its attainment. #}
{% macro pace_ratio(actual) -%}
    case
        when kind_code = 'ratio' then attainment_ratio
        else {{ exact_ratio(actual ~ ' * plan_to_date_denominator', 'plan_to_date_numerator') }}
    end
{%- endmacro %}

{# What a column with a scale can hold: a target of next to nothing gives any ratio. Null stays. #}
{% macro shown_number(number) -%}
    case when abs({{ number }}) > '1e28'::numeric then '1e28'::numeric else {{ number }} end
{%- endmacro %}

{# Đồng or persons missing to the year's plan; a ratio has none. #}
{% macro missing_to_plan(actual) -%}
    case
        when kind_code <> 'ratio' and direction_code = 'at_least' and plan_in_force is not null
            then greatest(plan_in_force - {{ actual }}, 0)
    end
{%- endmacro %}

{# A figure is met, on track, behind, or missed once the year is over. #}
{% macro status_of(actual) -%}
    case
        when plan_in_force is null then 'no_plan'
        when is_met then 'met'
        when is_met is null then null
        when is_year_over then 'missed'
        when
            direction_code = 'at_least' and kind_code <> 'ratio'
            and {{ actual }} * plan_to_date_denominator >= plan_to_date_numerator
            then 'on_track'
        else 'behind'
    end
{%- endmacro %}

{# The columns of a status: the code, its labels and its place from best to worst. #}
{% macro status_columns(status) -%}
    {{ status }} as status_code,
    {{ labels_of('status', "coalesce(" ~ status ~ ", 'unknown')", 'status') }},
    {{ label_order('status', "coalesce(" ~ status ~ ", 'unknown')") }} as status_order
{%- endmacro %}

{# The CTE `judged`: the rows of a fact with the names of agency and metric, what is due to date, and
   the status. `january` is the fact that has January's figures, by `keys`. #}
{% macro judged_against_pace(fact, january, keys) -%}
facts as (
    select
        facts.*,
        {{ agency_name_columns('agencies') }}
        {{ metric_columns('metrics') }}
        paces.is_year_over,
        paces.due_numerator,
        paces.due_denominator,
        paces.stock_days_count,
        paces.stock_days_passed_count,
        date_trunc('year', facts.month::timestamp)::date as year_start_month
    from {{ fact }} as facts
    inner join {{ ref('int_agency_labels') }} as agencies on facts.agency_key = agencies.agency_key
    inner join {{ ref('int_metric_labels') }} as metrics on facts.metric_code = metrics.metric_code
    inner join {{ ref('int_pace_months') }} as paces on facts.month = paces.month
),

due as (
    select
        facts.*,
        {{ plan_to_date_fraction('coalesce(starts.actual_to_date, 0)') }}
    from facts
    left join {{ january }} as starts
        on
            {%- for key in keys %}
            facts.{{ key }} = starts.{{ key }} and
            {%- endfor %}
            facts.year_start_month = starts.month
),

judged as (
    select
        due.*,
        {{ status_of('actual_to_date') }} as status
    from due
)
{%- endmacro %}
