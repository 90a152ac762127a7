select
    feed as feed_code,
    rule_id,
    count(*) as row_count,
    coalesce(sum(money), 0) as money_vnd,
    min(first_seen) as first_seen_at,
    max(first_seen) as last_seen_at
from quarantine.row
where
    first_seen <= {as_known_at}
    and (resolved_at is null or resolved_at > {as_known_at})
group by feed, rule_id
