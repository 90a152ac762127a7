-- Spells that count, cut to the months shown and one month before (for the first movements). A
-- table, not a view, so that later joins and counts are planned with its real size.
-- With kept sums, only spells of changed persons: as they are (sign 1), and as they were (sign -1).
with spells as (
    select
        *,
        1::smallint as sign
    from {{ ref('stg_participations') }}
    {% if var('kept_as_known_at') %}
        where person_id in (select them.person_id from {{ ref('int_changed_persons') }} as them)
    {% endif %}
    union all
    select
        *,
        (-1)::smallint as sign
    from {{ ref('stg_participations_before') }}
    where person_id in (select them.person_id from {{ ref('int_changed_persons') }} as them)
),

bounds as (
    select
        (min(month) - interval '1 month')::date as prior_month,
        max(month) as last_month
    from {{ ref('int_months') }}
),

valid as (
    select
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        employer_code,
        -- a month counts if the spell covers its first day
        (
            date_trunc('month', (from_month - 1)::timestamp) + interval '1 month'
        )::date as from_month,
        date_trunc('month', to_month::timestamp)::date as to_month,
        sign
    from spells
    where
        is_valid
        and recorded_at < {{ event_cutoff() }}
),

final as (
    select
        valid.agency_code,
        valid.scheme_code,
        valid.health_group_number,
        valid.person_id,
        valid.employer_code,
        greatest(valid.from_month, bounds.prior_month) as from_month,
        least(valid.to_month, bounds.last_month) as to_month,
        valid.sign
    from valid
    inner join bounds
        on
            valid.from_month <= bounds.last_month
            and coalesce(valid.to_month, bounds.last_month) >= bounds.prior_month
    where coalesce(valid.to_month, bounds.last_month) >= valid.from_month
)

select * from final
