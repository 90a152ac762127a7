-- The instant {instant} lies between 1995-01-01 and 400 days after the source was read.
select
    row_no,
    '{instant} = ' || {instant} as detail
from {batch} as delivered
-- a missing instant is the matter of required_present; infinity is outside
where
    {instant} is not null
    and (
        not isfinite({instant})
        or {instant} < timestamptz '1995-01-01 00:00:00+07'
        or {instant} > {known_at} + interval '400 days'
    )
