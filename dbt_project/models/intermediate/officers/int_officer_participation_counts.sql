-- Distinct persons active per agency × officer × month × scheme.
with steps as (
    select * from {{ ref('int_officer_participation_steps') }}
),

final as (
    select
        months.month,
        steps.agency_code,
        steps.officer_code,
        steps.scheme_code,
        sum(steps.person_change_count) as participant_count
    from {{ ref('int_months') }} as months
    inner join steps on months.month >= steps.month
    group by months.month, steps.agency_code, steps.officer_code, steps.scheme_code
)

select * from final
