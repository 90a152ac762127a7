-- Of one fund: closing = opening + payable + adjustment up - adjustment down - allocated.
with computed as (
    select
        row_no,
        coalesce({closing}, 0)::numeric as closing,
        coalesce({opening}, 0)::numeric
        + coalesce({payable}, 0)
        + coalesce({up}, 0)
        - coalesce({down}, 0)
        - coalesce({allocated}, 0) as expected
    from {batch} as delivered
    -- an empty amount is 0; an unreadable one cannot be computed with and is set aside as such
    where unreadable is null
),

final as (
    select
        row_no,
        '{closing} = ' || closing || ', computed ' || expected as detail
    from computed
    where closing <> expected
)

select
    row_no,
    detail
from final
