{{ config(materialized='table', unlogged=true) }}

-- A table, not a view, so that the planner knows the number of rows set aside.
with known as (
    select
        id,
        feed,
        rule_id,
        money,
        first_seen,
        "row" as quarantined_row
    from {{ source('quarantine', 'row') }}
    where {{ was_set_aside() }}
),

final as (
    select
        id as quarantine_id,
        feed as feed_code,
        rule_id,
        money as money_vnd,
        {{ local_date('first_seen') }} as first_seen_date,
        -- whose row it is: what it names itself, or what names it elsewhere
        {{ readable_code("quarantined_row ->> 'ma_co_quan'") }} as agency_code,
        {{ readable_code("quarantined_row ->> 'so_chung_tu'") }} as document_code,
        {{ readable_code("quarantined_row ->> 'ma_don_vi'") }} as employer_code,
        case
            when quarantined_row ->> 'loai_doi_tuong' = 'CO_QUAN'
                then {{ readable_code("quarantined_row ->> 'ma_doi_tuong'") }}
        end as plan_agency_code,
        case
            when quarantined_row ->> 'loai_doi_tuong' = 'CAN_BO'
                then {{ readable_code("quarantined_row ->> 'ma_doi_tuong'") }}
            else {{ readable_code("quarantined_row ->> 'ma_can_bo'") }}
        end as officer_code
    from known
)

select * from final
