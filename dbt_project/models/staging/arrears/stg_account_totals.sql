-- One row per account, without its fund groups: interest, head-counts and wage funds of the sheet.
with source as (
    select * from {{ source('raw', 'c12') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        madvi as employer_code,
        thang as month,
        ma_co_quan as agency_code,
        stated_at,
        restated_at,
        sothang as months_owed_count,
        coalesce(dk_lai, 0)::numeric as interest_opening_vnd,
        coalesce(lai1_ps, 0)::numeric + coalesce(lai2_ps, 0) + coalesce(lai3_ps, 0)
            as interest_accrued_vnd,
        coalesce(dt_lai, 0)::numeric as interest_allocated_vnd,
        coalesce(ck_lai, 0)::numeric as interest_closing_vnd,
        coalesce(sld, 0) as employee_count,
        coalesce(sldtn, 0) as ui_employee_count,
        coalesce(tql, 0)::numeric as si_wage_fund_vnd,
        coalesce(tqltn, 0)::numeric as ui_wage_fund_vnd,
        coalesce(tqlyt, 0)::numeric as hi_wage_fund_vnd,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        employer_code,
        month,
        agency_code,
        stated_at,
        restated_at,
        months_owed_count,
        interest_opening_vnd,
        interest_accrued_vnd,
        interest_allocated_vnd,
        interest_closing_vnd,
        employee_count,
        ui_employee_count,
        si_wage_fund_vnd,
        ui_wage_fund_vnd,
        hi_wage_fund_vnd,
        batch_id,
        known_at
    from cleaned
)

select * from final
