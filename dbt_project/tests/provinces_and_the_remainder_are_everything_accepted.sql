-- Per month, the provinces' figures and the facts that count at no province add up to everything
-- accepted: đồng of lines and arrears exactly; persons, in the newest month, at least.
with provinces_of as (
    select
        members.member_agency_code as agency_code,
        shown.month,
        count(*) as province_count
    from {{ ref('int_agency_months') }} as shown
    inner join {{ ref('int_agency_members') }} as members
        on shown.agency_code = members.agency_code
    where shown.is_province
    group by members.member_agency_code, shown.month
),

accepted as (
    select
        'collection_total' as metric_code,
        payments.agency_code,
        payments.credited_month as month,
        sum(
            lines.principal_vnd
            + case when months.is_interest_collected then lines.interest_vnd else 0 end
        ) as amount
    from {{ ref('stg_allocations') }} as lines
    inner join {{ ref('stg_payments') }} as payments
        on lines.document_code = payments.document_code
    inner join {{ ref('int_months') }} as months on payments.credited_month = months.month
    where payments.is_valid and payments.credited_at < {{ event_cutoff() }}
    group by payments.agency_code, payments.credited_month
    union all
    select
        'arrears_ratio_total' as metric_code,
        accounts.agency_code,
        accounts.month,
        sum(greatest(accounts.closing_vnd + coalesce(added_back.added_back_vnd, 0), 0)) as amount
    from {{ ref('stg_accounts') }} as accounts
    inner join {{ ref('int_months') }} as months on accounts.month = months.month
    left join {{ ref('int_added_back') }} as added_back
        on
            accounts.employer_code = added_back.employer_code
            and accounts.month = added_back.month
            and accounts.group_code = added_back.group_code
    group by accounts.agency_code, accounts.month
),

newest as (
    select max(month) as month from {{ ref('int_months') }}
),

-- facts of a province below another province are in both figures
once as (
    select
        accepted.metric_code,
        accepted.month,
        sum(accepted.amount) as amount,
        sum(accepted.amount * greatest(coalesce(provinces_of.province_count, 0) - 1, 0))
            as counted_again
    from accepted
    left join provinces_of
        on
            accepted.agency_code = provinces_of.agency_code
            and accepted.month = provinces_of.month
    group by accepted.metric_code, accepted.month
),

shown as (
    select
        facts.metric_code,
        facts.month,
        sum(case
            when facts.metric_code = 'arrears_ratio_total' then facts.numerator
            else facts.actual_month
        end) as amount
    from {{ ref('fct_monthly_attainment') }} as facts
    inner join {{ ref('int_agency_months') }} as agencies
        on
            facts.agency_code = agencies.agency_code
            and facts.month = agencies.month
    where
        agencies.is_province
        and (
            facts.metric_code in ('collection_total', 'arrears_ratio_total')
            or facts.metric_code like 'participants_%'
            and facts.month in (select newest.month from newest)
        )
    group by facts.metric_code, facts.month
),

uncounted as (
    select
        metric_code,
        month,
        sum(money_vnd) as money_vnd,
        sum(fact_count) as fact_count
    from {{ ref('int_uncounted_facts') }}
    where month is not null
    group by metric_code, month
),

persons as (
    select
        'participants_' || scheme_code as metric_code,
        month,
        person_count
    from {{ ref('int_active_persons') }}
)

select
    once.metric_code,
    once.month,
    once.amount as accepted,
    coalesce(shown.amount, 0) as shown
from once
left join shown on once.metric_code = shown.metric_code and once.month = shown.month
left join uncounted on once.metric_code = uncounted.metric_code and once.month = uncounted.month
where
    coalesce(shown.amount, 0) - once.counted_again + coalesce(uncounted.money_vnd, 0)
    <> once.amount
union all
select
    persons.metric_code,
    persons.month,
    persons.person_count as accepted,
    coalesce(shown.amount, 0) as shown
from persons
left join shown on persons.metric_code = shown.metric_code and persons.month = shown.month
left join uncounted
    on persons.metric_code = uncounted.metric_code and persons.month = uncounted.month
where coalesce(shown.amount, 0) + coalesce(uncounted.fact_count, 0) < persons.person_count
