-- vi: Bí danh của người tham gia phải là 64 ký tự thập lục phân; nếu không, cả lô dừng lại.
-- en: A person's pseudonym is 64 hex digits; if not, the batch stops.
-- A missing number has no pseudonym: number_well_formed sets its row aside. The length apart from
-- the pattern: {64} in a pattern takes twenty times as long.
with malformed as (
    select count(*) as row_count
    from {batch} as delivered
    where
        person_pseudonym is not null
        and (
            length(person_pseudonym) <> 64
            or person_pseudonym !~ '^[0-9a-f]+$'
        )
),

final as (
    select
        null::bigint as row_no,
        row_count || ' pseudonyms are not 64 hex digits' as detail
    from malformed
    where row_count > 0
)

select
    row_no,
    detail
from final
