-- The month that a report calls the latest: of attainment the last one with a plan in force or a
-- figure, of people and accounts the last one with a figure. An empty January is none.
with attainment as (
    select max(month) as month
    from {{ ref('int_agency_attainment') }}
    where plan_in_force is not null or actual_to_date <> 0
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
