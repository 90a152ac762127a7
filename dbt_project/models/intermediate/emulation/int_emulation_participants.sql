-- The participants: agencies (but not provinces) in force in the measured month, and officers of
-- the register if their own agency is in force in it. Each province has its own ranking.
with periods as (
    select
        period_id,
        measured_month
    from {{ ref('int_emulation_periods') }}
),

agency_months as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        agency_months.is_province,
        agencies.agency_name,
        agencies.province_code
    from {{ ref('int_agency_months') }} as agency_months
    left join {{ ref('int_agencies') }} as agencies
        on agency_months.agency_key = agencies.agency_key
),

officer_months as (
    select
        officer_months.agency_code,
        officer_months.officer_code,
        officer_months.month,
        officer_months.officer_key,
        officers.officer_name
    from {{ ref('int_officer_months') }} as officer_months
    left join {{ ref('int_officers') }} as officers
        on officer_months.officer_key = officers.officer_key
    where officer_months.is_own_agency
),

final as (
    select
        periods.period_id,
        'agency' as participant_type,
        agency_months.agency_code as participant_code,
        agency_months.agency_name as participant_name,
        agency_months.agency_code,
        agency_months.agency_key,
        null::text as officer_key,
        agency_months.province_code,
        periods.measured_month
    from periods
    inner join agency_months on periods.measured_month = agency_months.month
    where not agency_months.is_province
    union all
    select
        periods.period_id,
        'officer' as participant_type,
        officer_months.officer_code as participant_code,
        officer_months.officer_name as participant_name,
        agency_months.agency_code,
        agency_months.agency_key,
        officer_months.officer_key,
        agency_months.province_code,
        periods.measured_month
    from periods
    inner join officer_months on periods.measured_month = officer_months.month
    inner join agency_months
        on
            officer_months.agency_code = agency_months.agency_code
            and officer_months.month = agency_months.month
)

select * from final
