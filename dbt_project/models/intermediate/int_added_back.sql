-- Principal that an account's export had already taken off although it was credited at or after
-- the cutoff: one row per employer × month × fund group, for the month of the cutoff alone.
with cutoff as (
    select
        {{ event_cutoff() }} as cutoff_at,
        {{ local_month(event_cutoff()) }} as cutoff_month
),

-- an unchanged row comes from the newest export known that repeats it, not only from its first
accounts as (
    select
        accounts.employer_code,
        accounts.month,
        accounts.group_code,
        coalesce(max(statements.stated_at), accounts.stated_at) as stated_at
    from {{ ref('stg_accounts') }} as accounts
    inner join cutoff on accounts.month = cutoff.cutoff_month
    left join {{ ref('stg_statements') }} as statements
        on
            statements.scope_key
            = accounts.agency_code || '|' || to_char(accounts.month, 'YYYY-MM-DD')
            and statements.stated_at between accounts.stated_at and accounts.restated_at
    group by accounts.employer_code, accounts.month, accounts.group_code, accounts.stated_at
),

late_lines as (
    select
        lines.employer_code,
        lines.credited_month,
        funds.group_code,
        lines.recorded_at,
        lines.principal_vnd
    from {{ ref('int_valid_lines') }} as lines
    inner join {{ ref('dim_fund') }} as funds on lines.fund_code = funds.fund_code
    inner join cutoff on lines.credited_month = cutoff.cutoff_month
    where lines.credited_at >= cutoff.cutoff_at and funds.group_code is not null
),

final as (
    select
        accounts.employer_code,
        accounts.month,
        accounts.group_code,
        sum(late_lines.principal_vnd) as added_back_vnd
    from accounts
    inner join late_lines
        on
            accounts.employer_code = late_lines.employer_code
            and accounts.month = late_lines.credited_month
            and accounts.group_code = late_lines.group_code
            and accounts.stated_at >= late_lines.recorded_at
    group by accounts.employer_code, accounts.month, accounts.group_code
)

select * from final
