-- Every document number that was ever known: in force, superseded or set aside. They are one list,
-- because the planner could estimate one row for a short list and compare it with every line.
with final as (
    select so_chung_tu as document_code from {{ source('raw', 'payments') }}
    where known_from <= {{ as_known_at() }}
    union all
    select row_key as document_code from {{ source('quarantine', 'row') }}
    where feed = 'payments' and first_seen <= {{ as_known_at() }}
)

select * from final
