-- vi: BHXH: dư cuối kỳ = dư đầu kỳ + phải thu + điều chỉnh tăng - điều chỉnh giảm - đã phân bổ.
-- en: Social insurance: closing = opening + payable + adjustment up - adjustment down - allocated.
with computed as (
    select
        row_no,
        coalesce(ck_bhxh, 0)::numeric as closing,
        coalesce(dk_bhxh, 0)::numeric
        + coalesce(ps_bh, 0)
        + coalesce(bst_bh, 0)
        - coalesce(bsg_bh, 0)
        - coalesce(dt_bhxh, 0) as expected
    from {batch} as delivered
    -- an empty amount is 0; an unreadable one cannot be computed with and is set aside as such
    where unreadable is null
),

final as (
    select
        row_no,
        'ck_bhxh = ' || closing || ', computed ' || expected as detail
    from computed
    where closing <> expected
)

select
    row_no,
    detail
from final
