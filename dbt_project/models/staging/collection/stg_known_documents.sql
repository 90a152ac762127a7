-- Every number under which a document was ever known, in force, superseded or set aside. One list:
-- each by itself may look like one row to the planner, and be compared with every line.
with final as (
    select so_chung_tu as document_code from {{ source('raw', 'payments') }}
    where known_from <= {{ as_known_at() }}
    union all
    select row_key as document_code from {{ source('quarantine', 'row') }}
    where feed = 'payments' and first_seen <= {{ as_known_at() }}
)

select * from final
