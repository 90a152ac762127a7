{%- set measures = var('measures') -%}
{%- set entries = measures.get('debt_classes', []) if measures is mapping else [] -%}
{%- set entries = entries | sort(attribute='from') -%}
-- Classes by age come from config/measures.yml; the other three are fixed.
with entries as (
    select
        null::date as valid_from_month,
        null::date as next_valid_from_month,
        null::text as debt_class_code,
        null::text as debt_class_name_vi,
        null::text as debt_class_name_en,
        null::numeric as from_months_count,
        null::numeric as to_months_count
    where false
    {% for entry in entries %}
        {% set valid_from = "date '" ~ entry['from'] ~ "-01'" %}
        {% set next_from =
            "null::date" if loop.last else "date '" ~ entries[loop.index]['from'] ~ "-01'" %}
        {% set classes = entry['classes'] | sort(attribute='from_months') %}
        {% for class in classes %}
            union all
            select
                {{ valid_from }},
                {{ next_from }},
                {{ text_literal(class['code']) }},
                {{ text_literal(class['name_vi']) }},
                {{ text_literal(class['name_en']) }},
                {{ class['from_months'] }}::numeric,
                {{ 'null' if loop.last else classes[loop.index]['from_months'] }}::numeric
        {% endfor %}
        union all
        select
            {{ valid_from }},
            {{ next_from }},
            others.code,
            others.name_vi,
            others.name_en,
            null::numeric,
            null::numeric
        from (
            values
            ('none', 'Không nợ', 'No arrears'),
            ('unknown_age', 'Nợ chưa rõ số tháng', 'Arrears of unknown age'),
            ('hard_to_collect', 'Nợ khó thu', 'Hard to collect')
        ) as others (code, name_vi, name_en)
    {% endfor %}
),

final as (
    select
        debt_class_code || '|' || to_char(valid_from_month, 'YYYY-MM') as debt_class_key,
        debt_class_code,
        debt_class_name_vi,
        debt_class_name_en,
        from_months_count,
        to_months_count,
        valid_from_month,
        (next_valid_from_month - interval '1 month')::date as valid_to_month,
        from_months_count is not null as is_by_age,
        row_number() over (
            partition by valid_from_month
            order by
                case debt_class_code
                    when 'none' then 1
                    when 'unknown_age' then 3
                    when 'hard_to_collect' then 4
                    else 2
                end,
                from_months_count
        )::integer as sort_order
    from entries
)

select * from final
