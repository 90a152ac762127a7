-- vi: Lãi cuối kỳ = lãi đầu kỳ + lãi phát sinh của ba quỹ - lãi đã phân bổ.
-- en: Interest: closing = opening + accrued of the three groups - allocated.
with computed as (
    select
        row_no,
        coalesce(ck_lai, 0)::numeric as closing,
        coalesce(dk_lai, 0)::numeric
        + coalesce(lai1_ps, 0)
        + coalesce(lai2_ps, 0)
        + coalesce(lai3_ps, 0)
        - coalesce(dt_lai, 0) as expected
    from {batch} as delivered
    -- an empty amount is 0; an unreadable one cannot be computed with and is set aside as such
    where unreadable is null
),

final as (
    select
        row_no,
        'ck_lai = ' || closing || ', computed ' || expected as detail
    from computed
    where closing <> expected
)

select
    row_no,
    detail
from final
