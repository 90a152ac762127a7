with debts as (
    select * from {{ ref('fct_employer_debt') }}
),

accounts as (
    select
        employer_code,
        month,
        sum(arrears_vnd) filter (where group_code = 'si') as arrears_si_vnd,
        sum(arrears_vnd) filter (where group_code = 'ui') as arrears_ui_vnd,
        sum(arrears_vnd) filter (where group_code = 'hi') as arrears_hi_vnd,
        sum(receivable_vnd) as payable_vnd
    from {{ ref('fct_employer_account') }}
    group by employer_code, month
),

-- consecutive months with arrears are one run: it tells since when an employer owes
runs as (
    select
        employer_code,
        month,
        month - (
            row_number() over (partition by employer_code order by month) * interval '1 month'
        ) as run_start
    from debts
    where arrears_vnd > 0
),

owing as (
    select
        employer_code,
        month,
        min(month) over (partition by employer_code, run_start) as owing_since_month
    from runs
),

days as (
    select
        lines.employer_code,
        lines.credited_date,
        lines.credited_month,
        sum(lines.principal_vnd) as principal_vnd
    from {{ ref('fct_contribution') }} as lines
    inner join {{ ref('dim_fund') }} as funds on lines.fund_code = funds.fund_code
    where funds.group_code is not null
    group by lines.employer_code, lines.credited_date, lines.credited_month
),

paid as (
    select
        months.month,
        days.employer_code,
        sum(days.principal_vnd) filter (where days.credited_month = months.month) as paid_vnd,
        sum(days.principal_vnd) filter (
            where days.credited_date between months.as_of_date - 6 and months.as_of_date
        ) as paid_last_7_days_vnd,
        max(days.credited_date) filter (where days.credited_month = months.month)
            as last_credited_date
    from {{ ref('int_pace_months') }} as months
    inner join days
        on
            days.credited_date between least(months.month, months.as_of_date - 6)
            and greatest(
                (months.month + interval '1 month' - interval '1 day')::date, months.as_of_date
            )
    group by months.month, days.employer_code
),

final as (
    select
        debts.agency_code,
        {{ agency_columns('agencies') }}
        debts.employer_code,
        coalesce(employers.employer_name, debts.employer_code) as employer_name,
        employers.management_group_code,
        {{ labels_of(
            'management_group', 'employers.management_group_code', 'management_group'
        ) }},
        debts.employer_status_code,
        {{ labels_of('employer_status', 'debts.employer_status_code', 'employer_status') }},
        debts.month,
        debts.month = latest.accounts_month as is_latest_month,
        debts.arrears_vnd,
        accounts.arrears_si_vnd,
        accounts.arrears_ui_vnd,
        accounts.arrears_hi_vnd,
        debts.interest_bearing_arrears_vnd,
        debts.surplus_vnd,
        debts.interest_closing_vnd,
        {{ shown_number('debts.months_owed_count') }} as months_owed_count,
        owing.owing_since_month,
        debts.debt_class_code,
        classes.debt_class_name_vi as debt_class_vi,
        classes.debt_class_name_en as debt_class_en,
        classes.sort_order as debt_class_order,
        coalesce(in_charge.officer_code, 'unassigned') as officer_code,
        coalesce(officers.officer_name, in_charge.officer_code, 'Chưa phân công') as officer_name,
        accounts.payable_vnd,
        coalesce(paid.paid_vnd, 0) as paid_vnd,
        coalesce(paid.paid_last_7_days_vnd, 0) as paid_last_7_days_vnd,
        paid.last_credited_date,
        debts.employee_count,
        {{ local_date('debts.stated_at') }} as stated_date,
        latest.data_as_of
    from debts
    inner join accounts
        on debts.employer_code = accounts.employer_code and debts.month = accounts.month
    inner join {{ ref('int_agency_labels') }} as agencies on debts.agency_key = agencies.agency_key
    inner join {{ ref('int_pace_months') }} as months on debts.month = months.month
    left join {{ ref('int_employers') }} as employers on debts.employer_key = employers.employer_key
    left join {{ ref('dim_debt_class') }} as classes
        on debts.debt_class_key = classes.debt_class_key
    left join owing
        on debts.employer_code = owing.employer_code and debts.month = owing.month
    left join {{ ref('int_officer_assignments') }} as in_charge
        on
            debts.employer_code = in_charge.employer_code
            and months.as_of_date between in_charge.from_date and in_charge.to_date
    left join {{ ref('int_officers') }} as officers
        on in_charge.officer_code = officers.officer_code and officers.is_current
    left join paid on debts.employer_code = paid.employer_code and debts.month = paid.month
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
