-- The funds of each collection metric, from the metric register.
with final as (
    select
        null::text as metric_code,
        null::text as fund_code
    where false
    {% for metric in var('metrics') %}{% for fund in metric['funds'] %}
    union all
    select
        {{ text_literal(metric['code']) }},
        {{ text_literal(fund) }}
    {% endfor %}{% endfor %}
)

select * from final
