with at_cutoff as (
    select
        agency_code,
        agency_name,
        agency_key
    from {schema}.dim_agency
    where agency_key in (
        select agency_key from {schema}.fct_monthly_attainment
        where month = {cutoff_month}
    )
),

old_exports as (
    select
        'account_export_before_cutoff' as issue_code,
        at_cutoff.agency_code as subject_code,
        format(
            '%%s: %%s đơn vị có sổ C12 tháng %%s kết xuất trước thời điểm chốt, '
            || 'bản mới nhất lúc %%s.',
            min(at_cutoff.agency_name),
            count(*),
            to_char(debt.month, 'MM/YYYY'),
            to_char(max(debt.stated_at) at time zone {time_zone}, 'HH24:MI "ngày" DD/MM/YYYY')
        ) as sentence_vi,
        format(
            '%%s: the accounts of %%s for %%s employers were exported before the cutoff, '
            || 'the newest at %%s.',
            min(at_cutoff.agency_name),
            to_char(debt.month, 'YYYY-MM'),
            count(*),
            to_char(max(debt.stated_at) at time zone {time_zone}, 'YYYY-MM-DD HH24:MI')
        ) as sentence_en
    from {schema}.fct_employer_debt as debt
    inner join at_cutoff on debt.agency_key = at_cutoff.agency_key
    where debt.month = {cutoff_month} and debt.stated_at < {cutoff_at}
    group by at_cutoff.agency_code, debt.month
),

no_accounts as (
    select
        'account_export_missing' as issue_code,
        at_cutoff.agency_code as subject_code,
        format(
            '%%s: chưa có sổ C12 tháng %%s, không tính được tỷ lệ nợ.',
            at_cutoff.agency_name,
            to_char(ratio.month, 'MM/YYYY')
        ) as sentence_vi,
        format(
            '%%s: no accounts of %%s are known, so there is no arrears ratio.',
            at_cutoff.agency_name,
            to_char(ratio.month, 'YYYY-MM')
        ) as sentence_en
    from {schema}.fct_arrears_ratio as ratio
    inner join at_cutoff on ratio.agency_key = at_cutoff.agency_key
    where
        ratio.month = {cutoff_month}
        and ratio.group_code = 'total'
        and ratio.is_official
        and ratio.numerator is null
),

money_set_aside as (
    select
        'quarantined_money' as issue_code,
        fact.agency_code || '/' || fact.metric_code as subject_code,
        format(
            '%%s, %%s: %%s đồng đang bị giữ lại có thể làm thay đổi số lũy kế này.',
            at_cutoff.agency_name,
            metric.metric_name_vi,
            translate(to_char(fact.quarantined_to_date, 'FM999,999,999,999,999,990'), ',', '.')
        ) as sentence_vi,
        format(
            '%%s, %%s: %%s đồng set aside could change this figure to date.',
            at_cutoff.agency_name,
            metric.metric_name_en,
            to_char(fact.quarantined_to_date, 'FM999,999,999,999,999,990')
        ) as sentence_en
    from {schema}.fct_monthly_attainment as fact
    inner join at_cutoff on fact.agency_key = at_cutoff.agency_key
    inner join {schema}.dim_metric as metric on fact.metric_code = metric.metric_code
    where fact.month = {cutoff_month} and fact.quarantined_to_date > 0
),

plans_set_aside as (
    select
        'quarantined_plan' as issue_code,
        at_cutoff.agency_code as subject_code,
        format(
            '%%s: kế hoạch thu %%s đồng đang bị giữ lại, có thể là kế hoạch của cơ quan này.',
            at_cutoff.agency_name,
            translate(to_char(stake.at_stake_vnd, 'FM999,999,999,999,999,990'), ',', '.')
        ) as sentence_vi,
        format(
            '%%s: plans of %%s đồng set aside could be of this agency.',
            at_cutoff.agency_name,
            to_char(stake.at_stake_vnd, 'FM999,999,999,999,999,990')
        ) as sentence_en
    from {schema}.int_money_at_stake as stake
    inner join at_cutoff on stake.agency_code = at_cutoff.agency_code
    where stake.month = {cutoff_month} and stake.kind_code = 'plan'
),

no_plan as (
    select
        'plan_' || fact.plan_status_code as issue_code,
        fact.agency_code || '/' || fact.metric_code as subject_code,
        format(
            '%%s, %%s: %%s.',
            at_cutoff.agency_name,
            metric.metric_name_vi,
            case fact.plan_status_code
                when 'zero' then 'kế hoạch được giao bằng 0'
                when 'not_yet' then 'kế hoạch chưa có hiệu lực'
                else 'không có kế hoạch'
            end
        ) as sentence_vi,
        format(
            '%%s, %%s: %%s.',
            at_cutoff.agency_name,
            metric.metric_name_en,
            case fact.plan_status_code
                when 'zero' then 'the plan is 0'
                when 'not_yet' then 'the plan is not in force yet'
                else 'there is no plan'
            end
        ) as sentence_en
    from {schema}.fct_monthly_attainment as fact
    inner join at_cutoff on fact.agency_key = at_cutoff.agency_key
    inner join {schema}.dim_metric as metric on fact.metric_code = metric.metric_code
    where fact.month = {cutoff_month} and fact.plan_status_code <> 'in_force'
),

differing_verdicts as (
    select
        'differing_verdicts' as issue_code,
        ratio.agency_code || '/' || ratio.group_code as subject_code,
        format(
            '%%s, nợ %%s: các cách tính tỷ lệ nợ cho kết luận khác nhau.',
            min(at_cutoff.agency_name),
            case ratio.group_code
                when 'si' then 'BHXH'
                when 'ui' then 'BHTN'
                when 'hi' then 'BHYT'
                else 'chung'
            end
        ) as sentence_vi,
        format(
            '%%s, arrears of %%s: the variants do not agree whether the target is met.',
            min(at_cutoff.agency_name),
            ratio.group_code
        ) as sentence_en
    from {schema}.fct_arrears_ratio as ratio
    inner join at_cutoff on ratio.agency_key = at_cutoff.agency_key
    where ratio.month = {cutoff_month} and ratio.has_differing_verdicts
    group by ratio.agency_code, ratio.group_code
)

select * from old_exports
union all
select * from no_accounts
union all
select * from money_set_aside
union all
select * from plans_set_aside
union all
select * from no_plan
union all
select * from differing_verdicts
