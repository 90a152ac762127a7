with final as (
    select
        null::text as fund_code,
        null::text as fund_name_vi,
        null::text as fund_name_en,
        null::text as group_code,
        null::integer as sort_order
    where false
    {% for fund in var('funds') %}
        union all
        select
            {{ text_literal(fund['code']) }},
            {{ text_literal(fund['name_vi']) }},
            {{ text_literal(fund['name_en']) }},
            {{ text_literal(fund['group']) }},
            {{ loop.index }}
    {% endfor %}
)

select * from final
