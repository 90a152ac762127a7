-- The {counted} in force lie within the tolerance around the median of the published dates.
with past as (
    select
        total,
        row_number() over (order by total) as place,
        count(*) over () as date_count
    from unnest({history}) as published (total)
    -- a date without a total is no date
    where total is not null
),

-- exact: the middle total, or half the sum of the two middle ones
median as (
    select
        sum(total) / count(*) as total,
        max(date_count) as date_count
    from past
    where place in ((date_count + 1) / 2, date_count / 2 + 1)
),

allowed as (
    select
        total,
        date_count,
        total - {below} * abs(total) - {slack_below} as lowest,
        total + {above} * abs(total) + {slack_above} as highest
    from median
    where date_count >= {dates_needed}
),

final as (
    select
        null::bigint as row_no,
        format(
            '{counted} in force %s, median %s of %s published dates, allowed %s to %s',
            {standing}, trim_scale(total), date_count, trim_scale(lowest), trim_scale(highest)
        ) as detail
    from allowed
    where {standing} not between lowest and highest
)

select
    row_no,
    detail
from final
