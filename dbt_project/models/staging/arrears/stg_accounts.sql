-- One row per account × fund group: the three groups of columns of the C12 sheet become rows here.
with source as (
    select * from {{ source('raw', 'c12') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        known.madvi as employer_code,
        known.thang as month,
        known.ma_co_quan as agency_code,
        known.stated_at,
        known.restated_at,
        known.sothang as months_owed_count,
        fund_group.group_code,
        coalesce(fund_group.opening_vnd, 0) as opening_vnd,
        coalesce(fund_group.payable_vnd, 0) as payable_vnd,
        coalesce(fund_group.adjusted_up_vnd, 0) as adjusted_up_vnd,
        coalesce(fund_group.adjusted_down_vnd, 0) as adjusted_down_vnd,
        coalesce(fund_group.allocated_vnd, 0) as allocated_vnd,
        coalesce(fund_group.closing_vnd, 0) as closing_vnd,
        coalesce(fund_group.interest_accrued_vnd, 0) as interest_accrued_vnd,
        known.batch_id,
        known.known_from as known_at
    from known
    cross join lateral (
        values
        ('si', dk_bhxh, ps_bh, bst_bh, bsg_bh, dt_bhxh, ck_bhxh, lai1_ps),
        ('ui', dk_bhtn, ps_tn, bst_tn, bsg_tn, dt_bhtn, ck_bhtn, lai3_ps),
        ('hi', dk_bhyt, ps_yt, bst_yt, bsg_yt, dt_bhyt, ck_bhyt, lai2_ps)
    ) as fund_group (
        group_code, opening_vnd, payable_vnd, adjusted_up_vnd, adjusted_down_vnd,
        allocated_vnd, closing_vnd, interest_accrued_vnd
    )
),

final as (
    select
        employer_code,
        month,
        agency_code,
        stated_at,
        restated_at,
        months_owed_count,
        group_code,
        opening_vnd,
        payable_vnd,
        adjusted_up_vnd,
        adjusted_down_vnd,
        allocated_vnd,
        closing_vnd,
        interest_accrued_vnd,
        batch_id,
        known_at
    from cleaned
)

select * from final
