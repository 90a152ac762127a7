-- Distinct persons active per place × scheme or health-insurance group × month, and how many came
-- and left. There are no rows per person × month: an island is one step up and one step down.
with islands as (
    select * from {{ ref('int_participation_islands') }}
),

steps as (
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        from_month as month,
        sum(person_count) as person_change_count,
        coalesce(sum(person_count) filter (where not is_transferred_in), 0) as joined_count,
        coalesce(sum(person_count) filter (where is_transferred_in), 0) as transferred_in_count,
        0 as left_count,
        0 as transferred_out_count
    from islands
    group by place_type, agency_code, scheme_code, health_group_number, from_month
    union all
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        (to_month + interval '1 month')::date as month,
        -sum(person_count) as person_change_count,
        0 as joined_count,
        0 as transferred_in_count,
        coalesce(sum(person_count) filter (where not is_transferred_out), 0) as left_count,
        coalesce(sum(person_count) filter (where is_transferred_out), 0) as transferred_out_count
    from islands
    group by place_type, agency_code, scheme_code, health_group_number, to_month
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
