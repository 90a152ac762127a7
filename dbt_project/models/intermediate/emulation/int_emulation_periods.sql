-- The emulation periods that have begun, with the parameters of their ranking.
with configured as (
    select
        null::text as period_id,
        null::text as period_name_vi,
        null::text as period_name_en,
        null::date as starts_on_date,
        null::timestamptz as cutoff_at,
        null::date as cutoff_month,
        null::numeric as share_at_target,
        null::text as excess_code,
        null::integer as decimals_count,
        null::text as obstacle_codes
    where false
    {% for period in var('periods') if period is mapping %}
        union all
        select
            {{ text_literal(period['id']) }},
            {{ text_literal(period['name_vi']) }},
            {{ text_literal(period['name_en']) }},
            {{ text_literal(period['starts_on']) }}::date,
            {{ text_literal(period['cutoff_at']) }}::timestamptz,
            date_trunc(
                'month',
                {{ text_literal(period['cutoff_at']) }}::timestamptz
                at time zone {{ text_literal(period['time_zone']) }}
            )::date,
            {{ text_literal(period['points']['share_at_target']) }}::numeric,
            {{ text_literal(period['points']['excess']) }},
            {{ period['decimals'] }},
            {{ text_literal(period['not_considered_when'] | join(',')) }}
    {% endfor %}
),

final as (
    select
        configured.period_id,
        configured.period_name_vi,
        configured.period_name_en,
        configured.starts_on_date,
        configured.cutoff_at,
        configured.cutoff_month,
        configured.share_at_target,
        configured.excess_code,
        configured.decimals_count,
        configured.obstacle_codes,
        ('1e-' || configured.decimals_count)::numeric as point_unit,
        least(
            configured.cutoff_month, date_trunc('month', newest.business_date::timestamp)::date
        ) as measured_month,
        configured.cutoff_at = {{ event_cutoff() }} as is_at_cutoff,
        {{ local_timestamp('newest.known_at') }} as data_as_of
    from configured
    cross join {{ ref('int_newest_batch') }} as newest
    where configured.starts_on_date <= newest.business_date
)

select * from final
