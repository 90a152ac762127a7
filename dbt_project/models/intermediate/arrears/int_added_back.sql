-- Principal that an account's export had already subtracted although it was credited at or after
-- the cutoff: one row per employer × month × fund group, only for the month of the cutoff.
with cutoff as (
    select
        {{ event_cutoff() }} as cutoff_at,
        {{ local_month(event_cutoff()) }} as cutoff_month
),

late_lines as (
    select
        lines.employer_code,
        lines.credited_month,
        funds.group_code,
        lines.recorded_at,
        lines.principal_vnd
    from {{ ref('int_valid_lines') }} as lines
    inner join {{ ref('int_funds') }} as funds on lines.fund_code = funds.fund_code
    inner join cutoff on lines.credited_month = cutoff.cutoff_month
    where lines.credited_at >= cutoff.cutoff_at and funds.group_code is not null
),

final as (
    select
        late_lines.employer_code,
        late_lines.credited_month as month,
        late_lines.group_code,
        sum(late_lines.principal_vnd) as added_back_vnd
    from late_lines
    inner join {{ ref('int_account_statements') }} as statements
        on
            late_lines.employer_code = statements.employer_code
            and late_lines.credited_month = statements.month
            and late_lines.recorded_at <= statements.newest_stated_at
    group by late_lines.employer_code, late_lines.credited_month, late_lines.group_code
)

select * from final
