with lines as (
    select * from {{ ref('int_valid_lines') }}
    where is_before_cutoff
),

final as (
    select
        lines.document_code,
        lines.line_number,
        lines.agency_code,
        lines.employer_code,
        lines.fund_code,
        lines.credited_month,
        lines.credited_date,
        lines.credited_at,
        lines.recorded_at,
        lines.paid_for_month,
        lines.payment_method_code,
        lines.principal_vnd,
        lines.interest_vnd,
        lines.principal_vnd
        + case
            when {{ dated_measure('is_interest_collected', 'lines.credited_month', 'boolean') }}
                then lines.interest_vnd
            else 0
        end as collected_vnd,
        {{ member_key('agencies', 'agency_key', 'lines.agency_code') }} as agency_key,
        {{ member_key('employers', 'employer_key', 'lines.employer_code') }} as employer_key,
        lines.document_batch_id,
        lines.line_batch_id
    from lines
    left join {{ ref('int_agency_versions') }} as agencies
        on
            lines.agency_code = agencies.agency_code
            and lines.credited_date between agencies.joined_from_date and agencies.joined_to_date
    left join {{ ref('int_employer_versions') }} as employers
        on
            lines.employer_code = employers.employer_code
            and lines.credited_date between employers.joined_from_date and employers.joined_to_date
)

select * from final
