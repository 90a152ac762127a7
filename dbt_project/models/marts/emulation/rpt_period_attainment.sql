-- The figures that a period is judged by. A build has them as they are known now. Of a sealed
-- period readers see the release's, with what is known now beside them (chotso.build.official).
with final as (
    select
        figures.agency_code,
        {{ agency_columns('figures') }}
        periods.period_id,
        periods.period_name_vi,
        periods.period_name_en,
        {{ local_timestamp('periods.cutoff_at') }} as cutoff_date_time,
        figures.month,
        figures.metric_code,
        {{ metric_columns('figures') }}
        figures.actual_to_date,
        figures.plan_in_force,
        figures.attainment_ratio,
        figures.is_met,
        figures.status_code,
        figures.status_vi,
        figures.status_en,
        figures.status_order,
        false as is_sealed,
        null::text as release_id,
        figures.actual_to_date as running_actual_to_date,
        figures.attainment_ratio as running_attainment_ratio,
        figures.is_met as running_is_met,
        0::numeric as change_since_sealed,
        figures.data_as_of
    from {{ ref('int_emulation_periods') }} as periods
    inner join {{ ref('rpt_attainment') }} as figures on periods.measured_month = figures.month
)

select * from final
