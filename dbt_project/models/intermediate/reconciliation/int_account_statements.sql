-- The export of each account: the newest known one that states its row, not only the first. Few
-- exports state many accounts, so each export is looked up once, and not once per account.
with accounts as (
    select
        employer_code,
        month,
        agency_code,
        stated_at,
        restated_at
    from {{ ref('stg_account_totals') }}
),

exports as (
    select
        agency_code,
        month,
        stated_at,
        restated_at
    from accounts
    group by agency_code, month, stated_at, restated_at
),

newest as (
    select
        exports.agency_code,
        exports.month,
        exports.stated_at,
        exports.restated_at,
        coalesce(max(statements.stated_at), exports.stated_at) as newest_stated_at
    from exports
    left join {{ ref('stg_statements') }} as statements
        on
            statements.scope_key
            = exports.agency_code || '|' || to_char(exports.month, 'YYYY-MM-DD')
            and statements.stated_at between exports.stated_at and exports.restated_at
    group by exports.agency_code, exports.month, exports.stated_at, exports.restated_at
),

final as (
    select
        accounts.employer_code,
        accounts.month,
        newest.newest_stated_at
    from accounts
    inner join newest
        on
            accounts.agency_code = newest.agency_code
            and accounts.month = newest.month
            and accounts.stated_at = newest.stated_at
            and accounts.restated_at = newest.restated_at
)

select * from final
