-- There are no rows per person × month: an island is one step up and one step down.
{%- set keys = ['place_type', 'agency_code', 'scheme_code', 'health_group_number', 'month'] %}
{%- set counts = [
    'person_change_count', 'joined_count', 'transferred_in_count', 'left_count',
    'transferred_out_count',
] %}
with islands as (
    select
        *,
        sign * person_count as change_count
    from {{ ref('int_participation_islands') }}
),

changes as (
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        from_month as month,
        sum(change_count) as person_change_count,
        coalesce(sum(change_count) filter (where not is_transferred_in), 0) as joined_count,
        coalesce(sum(change_count) filter (where is_transferred_in), 0) as transferred_in_count,
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
        -sum(change_count) as person_change_count,
        0 as joined_count,
        0 as transferred_in_count,
        coalesce(sum(change_count) filter (where not is_transferred_out), 0) as left_count,
        coalesce(sum(change_count) filter (where is_transferred_out), 0) as transferred_out_count
    from islands
    group by place_type, agency_code, scheme_code, health_group_number, to_month
),

final as (
    {{ added_to_kept('changes', keys, counts, 'int_participation_steps') }}
)

select * from final
