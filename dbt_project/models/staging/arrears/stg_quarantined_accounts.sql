{{ config(materialized='table', unlogged=true) }}

-- A table, not a view, so that the planner knows the number of rows set aside.
with source as (
    select * from {{ source('quarantine', 'row') }}
    where feed = 'c12'
),

known as (
    select
        id,
        first_seen,
        "row" as quarantined_row
    from source
    where {{ was_set_aside() }}
),

cleaned as (
    select
        id as quarantine_id,
        {{ readable_code("quarantined_row ->> 'madvi'") }} as employer_code,
        {{ readable_code("quarantined_row ->> 'ma_co_quan'") }} as agency_code,
        {{ readable_month("(quarantined_row ->> 'thang')") }} as month,
        fund_group.group_code,
        {{ readable_amount("fund_group.closing_text") }} as closing_vnd,
        {{ readable_amount("fund_group.allocated_text") }} as allocated_vnd
    from known
    cross join lateral (
        values
        ('si', quarantined_row ->> 'ck_bhxh', quarantined_row ->> 'dt_bhxh'),
        ('ui', quarantined_row ->> 'ck_bhtn', quarantined_row ->> 'dt_bhtn'),
        ('hi', quarantined_row ->> 'ck_bhyt', quarantined_row ->> 'dt_bhyt')
    ) as fund_group (group_code, closing_text, allocated_text)
),

final as (
    select
        quarantine_id,
        employer_code,
        agency_code,
        month,
        group_code,
        closing_vnd,
        allocated_vnd
    from cleaned
)

select * from final
