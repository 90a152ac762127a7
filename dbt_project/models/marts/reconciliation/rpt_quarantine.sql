-- Rows set aside, without the rows: why, since when, how much, whose, and what to do.
with aged as (
    select
        attributed.*,
        {{ local_date('newest.known_at') }} - attributed.first_seen_date as days_count
    from {{ ref('int_quarantined_rows') }} as attributed
    cross join {{ ref('int_newest_batch') }} as newest
),

banded as (
    select
        aged.*,
        case
            when days_count <= 7 then 'up_to_7_days'
            when days_count <= 30 then 'up_to_30_days'
            else 'over_30_days'
        end as age_band_code
    from aged
),

final as (
    select
        banded.quarantine_id,
        agencies.agency_code,
        coalesce(agencies.agency_name, 'Không rõ cơ quan') as agency_name,
        coalesce(agencies.agency_short_name, 'Không rõ cơ quan') as agency_short_name,
        agencies.agency_level,
        coalesce(agencies.is_province, false) as is_province,
        coalesce(agencies.agency_order, 9999) as agency_order,
        agencies.province_code,
        banded.feed_code,
        {{ labels_of('feed', 'banded.feed_code', 'feed') }},
        banded.rule_id,
        {{ labels_of('rule', 'banded.rule_id', 'reason') }},
        {{ labels_of('next_action', 'banded.rule_id', 'next_action') }},
        banded.money_vnd,
        banded.month,
        banded.first_seen_date,
        greatest(banded.days_count, 0) as age_days_count,
        banded.age_band_code,
        {{ labels_of('age_band', 'banded.age_band_code', 'age_band') }},
        'open' as status_code,
        {{ labels_of('quarantine_status', "'open'", 'status') }},
        latest.data_as_of,
        agencies.agency_key
    from banded
    left join {{ ref('int_agency_labels') }} as agencies
        on banded.agency_code = agencies.agency_code and agencies.is_current
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
