-- The metrics with everything that a chart says of them.
with final as (
    select
        metric_code,
        metric_name_vi,
        metric_name_en,
        {{ labels_of('metric', 'metric_code', 'metric_short_name') }},
        sort_order as metric_order,
        kind_code,
        {{ labels_of('kind', 'kind_code', 'kind') }},
        direction_code,
        {{ labels_of('direction', 'direction_code', 'direction') }},
        unit_code,
        {{ labels_of('unit', 'unit_code', 'unit') }},
        additivity_code
    from {{ ref('int_metrics') }}
)

select * from final
