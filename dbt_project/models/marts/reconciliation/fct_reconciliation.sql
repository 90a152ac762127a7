with sides as (
    select * from {{ ref('int_reconciliation_sides') }}
),

set_aside as (
    select
        sides.employer_code,
        sides.month,
        sides.group_code,
        sum(items.principal_vnd) as quarantined_vnd,
        sum(items.allocated_vnd) as quarantined_allocated_vnd
    from sides
    inner join {{ ref('int_reconciliation_quarantine') }} as items
        on
            sides.employer_code = items.employer_code
            and (items.month is null or sides.month = items.month)
            and (items.group_code is null or sides.group_code = items.group_code)
    where sides.group_code <> 'voluntary'
    group by sides.employer_code, sides.month, sides.group_code
),

offsets as (
    select * from {{ ref('int_reconciliation_offsets') }}
),

classified as (
    select
        sides.employer_code,
        sides.month,
        sides.group_code,
        sides.agency_code,
        sides.allocated_vnd,
        sides.paid_vnd,
        sides.difference_vnd,
        sides.recorded_after_statement_vnd,
        sides.added_back_vnd,
        sides.net_adjustment_vnd,
        coalesce(set_aside.quarantined_vnd, 0) as quarantined_vnd,
        coalesce(set_aside.quarantined_allocated_vnd, 0) as quarantined_allocated_vnd,
        (sides.month + interval '1 month' - interval '1 day')::date as month_end_date,
        -- the first category that fits, in the order of dim_reconciliation_category
        case
            when sides.group_code = 'voluntary' then 'outside_accounts'
            when sides.is_account_known and sides.difference_vnd = 0 then 'matched'
            when set_aside.employer_code is not null then 'quarantined'
            when not sides.is_account_known then 'missing_account'
            when
                sides.difference_vnd = sides.recorded_after_statement_vnd - sides.added_back_vnd
                or offsets.employer_code is not null
                then 'timing'
            when sides.line_count = 0 then 'missing_payment'
            when abs(sides.difference_vnd) = abs(sides.net_adjustment_vnd) then 'adjusted'
            when sides.difference_vnd > 0 then 'over'
            else 'under'
        end as category_code
    from sides
    left join set_aside
        on
            sides.employer_code = set_aside.employer_code
            and sides.month = set_aside.month
            and sides.group_code = set_aside.group_code
    left join offsets
        on
            sides.employer_code = offsets.employer_code
            and sides.month = offsets.month
            and sides.group_code = offsets.group_code
),

final as (
    select
        classified.employer_code,
        classified.month,
        classified.group_code,
        classified.agency_code,
        classified.allocated_vnd,
        classified.paid_vnd,
        classified.difference_vnd,
        classified.recorded_after_statement_vnd,
        classified.added_back_vnd,
        classified.net_adjustment_vnd,
        classified.quarantined_vnd,
        classified.quarantined_allocated_vnd,
        classified.category_code,
        {{ member_key('agencies', 'agency_key', 'classified.agency_code') }} as agency_key,
        {{ member_key('employers', 'employer_key', 'classified.employer_code') }} as employer_key,
        coalesce(agencies.level_number = 1, false) as is_province
    from classified
    left join {{ ref('int_agency_versions') }} as agencies
        on
            classified.agency_code = agencies.agency_code
            and classified.month_end_date
            between agencies.joined_from_date and agencies.joined_to_date
    left join {{ ref('int_employer_versions') }} as employers
        on
            classified.employer_code = employers.employer_code
            and classified.month_end_date
            between employers.joined_from_date and employers.joined_to_date
)

select * from final
