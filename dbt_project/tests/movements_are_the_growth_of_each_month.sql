-- Growth is persons who came minus persons who left, and it is the change from the previous month.
with shown as (
    select
        *,
        lag(month) over by_month as previous_month,
        lag(participant_count) over by_month as previous_count
    from {{ ref('fct_participation_month') }}
    window by_month as (partition by agency_code, scheme_code order by month)
)

select
    agency_code,
    month,
    scheme_code
from shown
where
    net_growth_count
    <> joined_count + transferred_in_count - left_count - transferred_out_count
    or (
        previous_month = month - interval '1 month'
        and participant_count <> previous_count + net_growth_count
    )
