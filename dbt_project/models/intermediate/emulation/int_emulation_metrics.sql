-- The metrics of a period: their weight, whether they are gates, and their place in the order of
-- tie-breaking metrics.
with configured as (
    select
        null::text as period_id,
        null::text as participant_type,
        null::text as metric_code,
        null::numeric as weight_points,
        null::boolean as is_gate,
        null::integer as tie_position
    where false
    {% for period in var('periods') if period is mapping %}
        {% for participant_type in ('agency', 'officer') %}
            {% set own = period['officer_weights'] if participant_type == 'officer' else none %}
            {% set weights = period['weights'] if own is none else own %}
            {% set codes = (weights | list) + period['gates'] + period['ties'] %}
            {% for metric_code in codes | unique %}
                union all
                select
                    {{ text_literal(period['id']) }},
                    {{ text_literal(participant_type) }},
                    {{ text_literal(metric_code) }},
                    {{ text_literal(weights.get(metric_code)) }}::numeric,
                    {{ metric_code in period['gates'] }},
                    array_position(
                        string_to_array({{ text_literal(period['ties'] | join(',')) }}, ','),
                        {{ text_literal(metric_code) }}
                    )
            {% endfor %}
        {% endfor %}
    {% endfor %}
),

final as (
    select
        configured.period_id,
        configured.participant_type,
        configured.metric_code,
        configured.weight_points,
        configured.is_gate,
        configured.tie_position,
        metrics.metric_name_vi,
        metrics.metric_name_en,
        metrics.unit_code,
        metrics.direction_code,
        metrics.sort_order
    from configured
    inner join {{ ref('int_metrics') }} as metrics on configured.metric_code = metrics.metric_code
)

select * from final
