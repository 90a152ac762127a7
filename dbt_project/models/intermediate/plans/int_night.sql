-- The newest business date, and the month whose figures its night shows. After the turn of the year
-- that is the closed year's last month, until one of its periods is sealed and one more day: its
-- figures are still moving, and January is empty.
with newest as (
    select
        business_date,
        date_trunc('month', business_date::timestamp)::date as own_month,
        (date_trunc('year', business_date::timestamp) - interval '1 month')::date as closed_month
    from {{ ref('int_newest_batch') }}
),

closing as (
    select
        newest.closed_month,
        min(releases.sealed_date) as sealed_date
    from newest
    inner join {{ ref('int_emulation_periods') }} as periods
        on newest.closed_month = periods.cutoff_month
    inner join {{ ref('int_months') }} as months on newest.closed_month = months.month
    left join {{ ref('stg_releases') }} as releases on periods.period_id = releases.period_id
    group by newest.closed_month
),

chosen as (
    select
        newest.business_date,
        case
            when
                closing.closed_month is not null
                and newest.business_date <= coalesce(closing.sealed_date + 1, newest.business_date)
                then closing.closed_month
            else newest.own_month
        end as month
    from newest
    left join closing on newest.closed_month = closing.closed_month
),

final as (
    select
        business_date,
        month,
        make_date(extract(year from month)::int, 1, 1) as year_start_date,
        make_date(extract(year from month)::int, 12, 31) as year_end_date
    from chosen
)

select * from final
