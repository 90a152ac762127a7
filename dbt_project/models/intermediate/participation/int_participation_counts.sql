-- Distinct persons active per place × scheme or health-insurance group × month, and how many came
-- and left.
with steps as (
    select * from {{ ref('int_participation_steps') }}
),

final as (
    select
        months.month,
        steps.place_type,
        steps.agency_code,
        steps.scheme_code,
        steps.health_group_number,
        sum(steps.person_change_count)::bigint as participant_count,
        coalesce(
            sum(steps.person_change_count) filter (where steps.month < months.month), 0
        )::bigint as previous_count,
        coalesce(
            sum(steps.joined_count) filter (where steps.month = months.month), 0
        )::bigint as joined_count,
        coalesce(
            sum(steps.transferred_in_count) filter (where steps.month = months.month), 0
        )::bigint as transferred_in_count,
        coalesce(
            sum(steps.left_count) filter (where steps.month = months.month), 0
        )::bigint as left_count,
        coalesce(
            sum(steps.transferred_out_count) filter (where steps.month = months.month), 0
        )::bigint as transferred_out_count
    from {{ ref('int_months') }} as months
    inner join steps on months.month >= steps.month
    group by
        months.month,
        steps.place_type,
        steps.agency_code,
        steps.scheme_code,
        steps.health_group_number
)

select * from final
