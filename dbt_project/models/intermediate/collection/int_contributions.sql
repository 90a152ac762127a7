-- Lines of valid documents credited before the cutoff, each with the đồng that count as collected.
with final as (
    select
        document_code,
        line_number,
        agency_code,
        employer_code,
        fund_code,
        credited_month,
        credited_date,
        credited_at,
        recorded_at,
        paid_for_month,
        payment_method_code,
        principal_vnd,
        interest_vnd,
        principal_vnd
        + case
            when {{ dated_measure('is_interest_collected', 'credited_month', 'boolean') }}
                then interest_vnd
            else 0
        end as collected_vnd,
        document_batch_id,
        line_batch_id
    from {{ ref('int_valid_lines') }}
    where is_before_cutoff
)

select * from final
