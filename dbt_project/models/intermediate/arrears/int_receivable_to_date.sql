-- Receivable from January to the month; each account belongs to the agency of its sheet at that
-- time.
with universe as (
    select
        agency_code,
        month,
        year_start_month
    from {{ ref('int_agency_months') }}
),

arrears as (
    select
        agency_code,
        month,
        group_code,
        receivable_vnd
    from {{ ref('int_arrears_months') }}
),

final as (
    select
        universe.agency_code,
        universe.month,
        arrears.group_code,
        sum(arrears.receivable_vnd) as receivable_to_date_vnd
    from universe
    inner join arrears
        on
            universe.agency_code = arrears.agency_code
            and arrears.month between universe.year_start_month and universe.month
    group by universe.agency_code, universe.month, arrears.group_code
)

select * from final
