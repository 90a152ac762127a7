with final as (
    select
        null::text as metric_code,
        null::text as metric_name_vi,
        null::text as metric_name_en,
        null::text as unit_code,
        null::text as kind_code,
        null::text as direction_code,
        null::text as additivity_code,
        null::text as plan_code,
        null::text as scheme_code,
        null::text as group_code,
        null::text as denominator_metric_code,
        null::integer as sort_order
    where false
    {% for metric in var('metrics') %}
        union all
        select
            {{ text_literal(metric['code']) }},
            {{ text_literal(metric['name_vi']) }},
            {{ text_literal(metric['name_en']) }},
            {{ text_literal(metric['unit']) }},
            {{ text_literal(metric['kind']) }},
            {{ text_literal(metric['direction']) }},
            {{ text_literal(metric['additivity']) }},
            {{ text_literal(metric['plan_code']) }},
            {{ text_literal(metric['scheme']) }},
            {{ text_literal(metric['group']) }},
            {{ text_literal(metric['denominator']) }},
            {{ loop.index }}
    {% endfor %}
)

select * from final
