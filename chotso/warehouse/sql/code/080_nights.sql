-- What operators see of the ledger: builds and nights. No view of theirs gives a row, its key, a
-- file's name or a reason, because these may name persons. The views read with their owner's
-- rights; columns are only added at the end.

create or replace view ops.status_label as
select
    label.code,
    label.name_vi,
    label.name_en
from (
    values
    ('running', 'Đang chạy', 'running'),
    ('stopped', 'Có lô bị dừng', 'something was stopped'),
    ('published', 'Đã công bố', 'published'),
    ('built', 'Đã dựng xong', 'built'),
    ('exposed', 'Đã hiển thị', 'shown to readers'),
    ('failed', 'Thất bại', 'failed'),
    ('night', 'Bản dựng hằng đêm', 'build of a night'),
    ('freeze', 'Bản dựng chốt số', 'build of a freeze'),
    ('rehearsal', 'Bản dựng diễn tập', 'build of a rehearsal'),
    ('scratch', 'Bản dựng nháp', 'scratch build'),
    ('refresh', 'Bản dựng trong ngày', 'build within the day'),
    ('passed', 'Đạt', 'passed'),
    ('blocked', 'Chặn cả lô', 'blocked the batch'),
    ('set_aside', 'Cách ly dòng vi phạm', 'set rows aside'),
    ('equal', 'Khớp', 'equal'),
    ('different', 'Lệch', 'different'),
    ('mended', 'Đã khắc phục', 'mended'),
    ('unreadable', 'Có số tiền không đọc được', 'some đồng cannot be read'),
    ('fresh', 'Mới', 'fresh'),
    ('late', 'Chậm', 'late'),
    ('stale', 'Quá cũ', 'stale'),
    ('never', 'Chưa có dữ liệu', 'nothing yet'),
    ('irregular', 'Không có lịch gửi', 'comes when it is sent'),
    ('not_due', 'Chưa đến hạn', 'not due'),
    ('due', 'Đã đến hạn, chưa chốt', 'due, not sealed'),
    ('sealed', 'Đã chốt', 'sealed'),
    ('critical', 'Nghiêm trọng', 'critical'),
    ('error', 'Lỗi', 'error'),
    ('warning', 'Cảnh báo', 'warning'),
    ('open', 'Đang mở', 'open'),
    ('over', 'Đã hết', 'over')
) as label (code, name_vi, name_en);
comment on view ops.status_label is
'Tên các trạng thái — names of the codes in these views, one row per code';
comment on column ops.status_label.code is 'Mã — the code';
comment on column ops.status_label.name_vi is 'Tên — in Vietnamese';
comment on column ops.status_label.name_en is 'Tên tiếng Anh — in English';

create or replace view ops.builds as
with build as (
    select
        made.build_id,
        made.business_date,
        made.status,
        made.started_at,
        made.finished_at as ended_at,
        made.exposed_at,
        case
            when made.target_schema = 'marts_build' and made.is_refresh then 'refresh'
            when made.target_schema = 'marts_build' then 'night'
            when bool_or(begun.is_rehearsal) then 'rehearsal'
            when bool_or(not begun.is_rehearsal) then 'freeze'
            else 'scratch'
        end as kind
    from ops.build as made
    left join ops."freeze" as begun on made.target_schema = begun.target_schema
    group by made.build_id
)

select
    build.build_id,
    build.business_date,
    build.kind,
    build.status,
    build.started_at,
    build.ended_at,
    extract(epoch from build.ended_at - build.started_at)::integer as duration_seconds,
    build.exposed_at,
    kind.name_vi as kind_vi,
    kind.name_en as kind_en,
    status.name_vi as status_vi,
    status.name_en as status_en
from build
left join ops.status_label as kind on build.kind = kind.code
left join ops.status_label as status on build.status = status.code;
comment on view ops.builds is
'Các lần dựng số liệu — one row per build: when, how long, and what became of it';
comment on column ops.builds.build_id is 'Số của bản dựng — number of the build';
comment on column ops.builds.business_date is 'Ngày nghiệp vụ — business date';
comment on column ops.builds.kind is
'Loại: hằng đêm, trong ngày, chốt số, diễn tập, nháp — night, refresh, freeze, rehearsal, scratch';
comment on column ops.builds.status is
'Trạng thái — running, built, exposed (shown to readers) or failed';
comment on column ops.builds.started_at is 'Bắt đầu (giờ máy chủ) — begun, server''s clock';
comment on column ops.builds.ended_at is 'Kết thúc (giờ máy chủ) — ended; null while it runs';
comment on column ops.builds.duration_seconds is 'Thời gian dựng (giây) — seconds that it took';
comment on column ops.builds.exposed_at is
'Hiển thị cho người đọc lúc — since when readers could see it; null: never';
comment on column ops.builds.kind_vi is 'Tên loại — the kind, in Vietnamese';
comment on column ops.builds.kind_en is 'Tên loại, tiếng Anh — the kind, in English';
comment on column ops.builds.status_vi is 'Tên trạng thái — the status, in Vietnamese';
comment on column ops.builds.status_en is 'Tên trạng thái, tiếng Anh — the status, in English';

create or replace view ops.nights as
with span as (
    select
        business_date,
        tstzrange(
            started_at, greatest(started_at, published_at, landed_at), '[]'
        ) as worked
    from ops.batch
    where not is_refresh
    union all
    select
        business_date,
        tstzrange(
            started_at, greatest(started_at, ended_at, exposed_at), '[]'
        ) as worked
    from ops.builds
    where kind = 'night'
),

-- what ran at once counts once, and what waited between two steps does not count
time_of_night as (
    select
        business_date,
        range_agg(worked) as worked
    from span
    group by business_date
),

-- what failed and was tried again does not count as stopped
tried as (
    select
        business_date,
        feed,
        status,
        rows_delivered,
        rows_quarantined,
        money_delivered,
        status in ('blocked', 'refused') or (
            status = 'failed'
            and lead(batch_id) over (
                partition by business_date, feed order by started_at, batch_id
            ) is null
        ) as is_stopped
    from ops.batch
    where not is_refresh
),

delivered as (
    select
        business_date,
        count(distinct feed) as feeds,
        count(*) as batches,
        sum(rows_delivered)::bigint as rows_delivered,
        sum(rows_quarantined)::bigint as rows_quarantined,
        sum(money_delivered)::numeric(24, 0) as money_delivered,
        count(*) filter (where is_stopped) as batches_stopped,
        case
            when bool_or(status = 'running') then 'running'
            when bool_or(is_stopped) then 'stopped'
            else 'published'
        end as status
    from tried
    group by business_date
),

newest_build as (
    select distinct on (business_date)
        business_date,
        status,
        status_vi,
        status_en
    from ops.builds
    where kind = 'night'
    order by business_date asc, build_id desc
)

select
    night.business_date,
    night.feeds,
    night.batches,
    night.rows_delivered,
    night.rows_quarantined,
    night.money_delivered,
    lower(time_of_night.worked) as started_at,
    upper(time_of_night.worked) as ended_at,
    (
        select sum(extract(epoch from upper(part) - lower(part)))::integer
        from unnest(time_of_night.worked) as part
    ) as duration_seconds,
    night.status,
    newest_build.status as build_status,
    night.batches_stopped,
    label.name_vi as status_vi,
    label.name_en as status_en,
    newest_build.status_vi as build_status_vi,
    newest_build.status_en as build_status_en
from delivered as night
inner join time_of_night on night.business_date = time_of_night.business_date
left join newest_build on night.business_date = newest_build.business_date
left join ops.status_label as label on night.status = label.code;
comment on view ops.nights is
'Các đêm xử lý — one row per business date: what came, how long it took, what became of it';
comment on column ops.nights.business_date is 'Ngày nghiệp vụ — business date';
comment on column ops.nights.feeds is 'Số nguồn — feeds with a batch';
comment on column ops.nights.batches is 'Số lô — batches, of every run for this date';
comment on column ops.nights.rows_delivered is 'Số dòng nhận được — rows delivered';
comment on column ops.nights.rows_quarantined is 'Số dòng cách ly — of these, rows set aside';
comment on column ops.nights.money_delivered is
'Số tiền nhận được (đồng) — money delivered, of all feeds, so more than was paid';
comment on column ops.nights.started_at is
'Bắt đầu (giờ máy chủ) — begun, server''s clock; not the hour of the source';
comment on column ops.nights.ended_at is
'Kết thúc (giờ máy chủ) — end of the last batch or build; also of a later run for this date';
comment on column ops.nights.duration_seconds is
'Thời gian xử lý (giây) — seconds of work; what ran at once counts once, waiting does not count';
comment on column ops.nights.status is
'Trạng thái — running, stopped (a batch was blocked or refused, or failed last) or published';
comment on column ops.nights.build_status is
'Trạng thái bản dựng gần nhất của đêm — of the night''s newest build; null: none';
comment on column ops.nights.batches_stopped is
'Số lô bị dừng — batches blocked or refused, or failed and not tried again';
comment on column ops.nights.status_vi is 'Tên trạng thái — the status, in Vietnamese';
comment on column ops.nights.status_en is 'Tên trạng thái, tiếng Anh — the status, in English';
comment on column ops.nights.build_status_vi is
'Tên trạng thái bản dựng — the build''s status, in Vietnamese';
comment on column ops.nights.build_status_en is
'Tên trạng thái bản dựng, tiếng Anh — the build''s status, in English';

grant usage on schema ops to chotso_operator;
grant select on ops.feed, ops.rule to chotso_auditor;
