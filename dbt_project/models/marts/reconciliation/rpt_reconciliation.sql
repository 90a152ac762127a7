with final as (
    select
        facts.agency_code,
        {{ agency_columns('agencies') }}
        facts.employer_code,
        coalesce(employers.employer_name, facts.employer_code) as employer_name,
        facts.month,
        facts.month = latest.accounts_month as is_latest_month,
        facts.group_code,
        {{ labels_of('group', 'facts.group_code', 'group') }},
        {{ label_order('group', 'facts.group_code') }} as group_order,
        facts.category_code,
        categories.category_name_vi as category_vi,
        categories.category_name_en as category_en,
        categories.sort_order as category_order,
        facts.allocated_vnd,
        facts.paid_vnd,
        facts.difference_vnd,
        facts.quarantined_vnd,
        latest.data_as_of
    from {{ ref('fct_reconciliation') }} as facts
    inner join {{ ref('int_agency_labels') }} as agencies on facts.agency_key = agencies.agency_key
    inner join {{ ref('dim_reconciliation_category') }} as categories
        on facts.category_code = categories.category_code
    left join {{ ref('int_employers') }} as employers
        on facts.employer_key = employers.employer_key
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
