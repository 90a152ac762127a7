-- What operators see of what was checked: rules and control totals. Counts, never values.

create or replace view ops.rule_outcomes as
with outcome as (
    select
        batch.business_date,
        batch.feed,
        found.rule_id,
        found.severity,
        case
            when found.is_passed then 'passed'
            when found.severity = 'block' then 'blocked'
            else 'set_aside'
        end as status,
        found.rows_failed as failed_rows,
        found.money_failed::numeric(24, 0) as failed_money,
        found.batch_id
    from ops.rule_result as found
    inner join ops.batch as batch on found.batch_id = batch.batch_id
)

select
    outcome.business_date,
    outcome.feed,
    feed.name_vi as feed_vi,
    outcome.rule_id,
    rule.sentence_vi,
    rule.sentence_en,
    outcome.severity,
    outcome.status,
    outcome.failed_rows,
    outcome.failed_money,
    outcome.batch_id,
    feed.name_en as feed_en,
    feed.sort_order as feed_order,
    rule.next_action_vi,
    rule.next_action_en,
    label.name_vi as status_vi,
    label.name_en as status_en
from outcome
left join ops.feed as feed on outcome.feed = feed.feed
left join ops.rule as rule on outcome.rule_id = rule.rule_id
left join ops.status_label as label on outcome.status = label.code;
comment on view ops.rule_outcomes is
'Kết quả từng quy tắc — one row per batch × rule; counts, never values';
comment on column ops.rule_outcomes.business_date is 'Ngày nghiệp vụ — business date of the batch';
comment on column ops.rule_outcomes.feed is 'Mã nguồn dữ liệu — code of the feed';
comment on column ops.rule_outcomes.feed_vi is 'Tên nguồn — the feed, in Vietnamese';
comment on column ops.rule_outcomes.rule_id is 'Mã quy tắc — the rule';
comment on column ops.rule_outcomes.sentence_vi is 'Nội dung quy tắc — the rule, in Vietnamese';
comment on column ops.rule_outcomes.sentence_en is 'Nội dung tiếng Anh — the rule, in English';
comment on column ops.rule_outcomes.severity is
'Mức độ: chặn cả lô, hay cách ly dòng — block or quarantine';
comment on column ops.rule_outcomes.status is 'Kết quả — passed, blocked or set_aside';
comment on column ops.rule_outcomes.failed_rows is
'Số dòng vi phạm — rows that broke it; a row counts at each rule, and again when read again';
comment on column ops.rule_outcomes.failed_money is
'Số tiền của các dòng đó (đồng) — their money; counted as the rows are';
comment on column ops.rule_outcomes.batch_id is 'Lô dữ liệu — the batch';
comment on column ops.rule_outcomes.feed_en is 'Tên nguồn, tiếng Anh — the feed, in English';
comment on column ops.rule_outcomes.feed_order is 'Thứ tự nguồn — the feed''s place in lists';
comment on column ops.rule_outcomes.next_action_vi is 'Việc cần làm — what to do, in Vietnamese';
comment on column ops.rule_outcomes.next_action_en is
'Việc cần làm, tiếng Anh — what to do, in English';
comment on column ops.rule_outcomes.status_vi is 'Tên kết quả — the outcome, in Vietnamese';
comment on column ops.rule_outcomes.status_en is 'Tên kết quả, tiếng Anh — in English';

create or replace view ops.control_total_report as
select
    batch.business_date,
    compared.feed,
    feed.name_vi as feed_vi,
    compared.month,
    compared.source_rows,
    compared.source_money::numeric(24, 0) as source_money,
    compared.warehouse_rows,
    compared.warehouse_money::numeric(24, 0) as warehouse_money,
    compared.source_rows - compared.warehouse_rows as difference_rows,
    (compared.source_money - compared.warehouse_money)::numeric(24, 0) as difference_money,
    compared.status,
    compared.entry = max(compared.entry) over (
        partition by compared.feed, compared.month
    ) as is_newest,
    compared.known_at,
    feed.name_en as feed_en,
    feed.sort_order as feed_order,
    label.name_vi as status_vi,
    label.name_en as status_en
from ops.control_total as compared
inner join ops.batch as batch on compared.checked_batch_id = batch.batch_id
left join ops.feed as feed on compared.feed = feed.feed
left join ops.status_label as label on compared.status = label.code;
comment on view ops.control_total_report is
'Đối soát tổng với nguồn — one row per comparison of a feed''s month: source and warehouse';
comment on column ops.control_total_report.business_date is
'Ngày nghiệp vụ — business date of the batch after which it was compared';
comment on column ops.control_total_report.feed is 'Mã nguồn dữ liệu — code of the feed';
comment on column ops.control_total_report.feed_vi is 'Tên nguồn — the feed, in Vietnamese';
comment on column ops.control_total_report.month is 'Tháng của các dòng — month of the rows';
comment on column ops.control_total_report.source_rows is 'Số dòng ở nguồn — rows at the source';
comment on column ops.control_total_report.source_money is
'Số tiền ở nguồn (đồng) — money at the source';
comment on column ops.control_total_report.warehouse_rows is
'Số dòng trong kho — rows in the warehouse, accepted or set aside';
comment on column ops.control_total_report.warehouse_money is
'Số tiền trong kho (đồng) — their money';
comment on column ops.control_total_report.difference_rows is
'Chênh lệch số dòng — source less warehouse';
comment on column ops.control_total_report.difference_money is
'Chênh lệch số tiền (đồng) — source less warehouse';
comment on column ops.control_total_report.status is
'Kết quả — equal, different, mended (was different before) or unreadable';
comment on column ops.control_total_report.is_newest is
'Lần đối soát mới nhất của tháng — the newest comparison of its feed and month: count these alone';
comment on column ops.control_total_report.known_at is
'Thời điểm nắm dữ liệu (giờ hệ thống nguồn) — known at, source''s clock';
comment on column ops.control_total_report.feed_en is 'Tên nguồn, tiếng Anh — the feed, in English';
comment on column ops.control_total_report.feed_order is
'Thứ tự nguồn — the feed''s place in lists';
comment on column ops.control_total_report.status_vi is 'Tên kết quả — the result, in Vietnamese';
comment on column ops.control_total_report.status_en is 'Tên kết quả, tiếng Anh — in English';
