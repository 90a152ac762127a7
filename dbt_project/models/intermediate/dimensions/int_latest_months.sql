-- The month that a report calls the latest: of attainment the last one with a plan in force or a
-- figure of its own, of people and accounts the last one with a figure. An empty January is none:
-- that the persons of December are still there says nothing of it. Before any figure it is the
-- newest month.
with attainment as (
    select max(figures.month) as month
    from {{ ref('int_agency_attainment') }} as figures
    inner join {{ ref('int_metrics') }} as metrics on figures.metric_code = metrics.metric_code
    where
        figures.plan_in_force is not null
        or (metrics.kind_code = 'flow' and figures.actual_to_date <> 0)
        or (metrics.kind_code = 'ratio' and figures.actual_to_date is not null)
),

accounts as (
    select max(month) as month from {{ ref('int_account_totals') }}
),

people as (
    select max(month) as month
    from {{ ref('int_participation_months') }}
    where participant_count > 0
),

shown as (
    select max(month) as month from {{ ref('int_months') }}
),

final as (
    select
        coalesce(attainment.month, shown.month) as attainment_month,
        coalesce(people.month, shown.month) as people_month,
        -- accounts of a month that is not shown yet are not the latest
        least(accounts.month, shown.month) as accounts_month,
        {{ local_timestamp('newest.known_at') }} as data_as_of
    from attainment
    cross join accounts
    cross join people
    cross join {{ ref('int_newest_batch') }} as newest
    cross join shown
)

select * from final
