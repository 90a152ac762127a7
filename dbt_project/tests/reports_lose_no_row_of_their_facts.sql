-- A report only adds names and judgements: it has the rows of its fact, and their sum.
with official as (
    select numerator from {{ ref('fct_arrears_ratio') }}
    where is_official
),

compared as (
    {% for report, fact, amount in [
        ('rpt_attainment', 'fct_monthly_attainment', 'actual_to_date'),
        ('rpt_pace', 'fct_nightly_attainment', 'actual_to_date'),
        ('rpt_officers', 'fct_officer_attainment', 'actual_to_date'),
        ('rpt_participation', 'fct_participation_month', 'participant_count'),
        ('rpt_reconciliation', 'fct_reconciliation', 'difference_vnd'),
    ] %}
        select
            '{{ report }}' as report,
            (select count(*) from {{ ref(fact) }}) as fact_rows,
            (select count(*) from {{ ref(report) }}) as report_rows,
            (select sum({{ amount }}) from {{ ref(fact) }}) as fact_amount,
            (select sum({{ amount }}) from {{ ref(report) }}) as report_amount
        union all
    {% endfor %}
    select
        'rpt_arrears' as report,
        (select count(*) from official) as fact_rows,
        (select count(*) from {{ ref('rpt_arrears') }}) as report_rows,
        (select sum(numerator) from official) as fact_amount,
        (select sum(arrears_vnd) from {{ ref('rpt_arrears') }}) as report_amount
    union all
    select
        'rpt_collection' as report,
        (select count(*) from {{ ref('fct_contribution') }}) as fact_rows,
        (select sum(line_count) from {{ ref('rpt_collection') }}) as report_rows,
        (select sum(collected_vnd) from {{ ref('fct_contribution') }}) as fact_amount,
        (select sum(collected_vnd) from {{ ref('rpt_collection') }}) as report_amount
    union all
    -- months that are not shown are in no report
    select
        'rpt_employer_debt' as report,
        (
            select count(*) from {{ ref('fct_employer_debt') }} as debts
            inner join {{ ref('dim_month') }} as months on debts.month = months.month
        ) as fact_rows,
        (select count(*) from {{ ref('rpt_employer_debt') }}) as report_rows,
        (
            select sum(debts.arrears_vnd) from {{ ref('fct_employer_debt') }} as debts
            inner join {{ ref('dim_month') }} as months on debts.month = months.month
        ) as fact_amount,
        (select sum(arrears_vnd) from {{ ref('rpt_employer_debt') }}) as report_amount
    union all
    select
        'rpt_quarantine' as report,
        (select count(*) from {{ ref('stg_quarantined_rows') }}) as fact_rows,
        (select count(*) from {{ ref('rpt_quarantine') }}) as report_rows,
        (select sum(money_vnd) from {{ ref('stg_quarantined_rows') }}) as fact_amount,
        (select sum(money_vnd) from {{ ref('rpt_quarantine') }}) as report_amount
)

select * from compared
where
    fact_rows is distinct from coalesce(report_rows, 0)
    or round(coalesce(fact_amount, 0), 9) is distinct from round(coalesce(report_amount, 0), 9)
