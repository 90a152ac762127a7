-- What operators see of the present: the source's clock, freshness, cutoffs, the disk.

-- "Now" is the source's clock. It is read with each batch, and went on as the server's did since.
create or replace view ops.source_clock as
select
    known_at,
    known_at + (clock_timestamp() - started_at) as source_now
from ops.batch
where status = 'published' and read_mode <> 'replay'
order by known_at desc, started_at asc
limit 1;
comment on view ops.source_clock is
'Giờ hệ thống nguồn — one row: the source''s clock, by the newest batch; none before the first';
comment on column ops.source_clock.known_at is
'Thời điểm nắm dữ liệu mới nhất — newest instant at which the source was read';
comment on column ops.source_clock.source_now is
'Giờ hệ thống nguồn hiện nay — the source''s clock now, if it went on as the server''s did';

create or replace view ops.freshness as
with newest as (
    select
        feed,
        max(business_date) as last_business_date,
        max(known_at) filter (where read_mode <> 'replay') as known_at
    from ops.batch
    where status = 'published'
    group by feed
),

aged as (
    select
        feed.feed,
        feed.name_vi,
        feed.name_en,
        feed.sort_order,
        feed.source_kind,
        newest.last_business_date,
        newest.known_at,
        extract(epoch from clock.source_now - newest.known_at) / 3600 as age_hours
    from ops.feed as feed
    left join newest on feed.feed = newest.feed
    left join ops.source_clock as clock on true
),

-- as `chotso dbt source freshness` judges: a night and a half, and three nights
judged as (
    select
        aged.*,
        case
            when known_at is null then 'never'
            when source_kind = 'file' then 'irregular'
            when age_hours <= 36 then 'fresh'
            when age_hours <= 72 then 'late'
            else 'stale'
        end as status
    from aged
)

select
    judged.feed,
    judged.name_vi as feed_vi,
    judged.last_business_date,
    judged.known_at,
    judged.age_hours::numeric(12, 1) as age_hours,
    judged.status,
    judged.name_en as feed_en,
    judged.sort_order as feed_order,
    label.name_vi as status_vi,
    label.name_en as status_en
from judged
left join ops.status_label as label on judged.status = label.code;
comment on view ops.freshness is
'Độ mới của từng nguồn — one row per feed: how old its newest published batch is';
comment on column ops.freshness.feed is 'Mã nguồn dữ liệu — code of the feed';
comment on column ops.freshness.feed_vi is 'Tên nguồn — the feed, in Vietnamese';
comment on column ops.freshness.last_business_date is
'Ngày nghiệp vụ mới nhất — newest business date that was published; null: none';
comment on column ops.freshness.known_at is
'Thời điểm đọc nguồn gần nhất (giờ hệ thống nguồn) — when it was last read, source''s clock';
comment on column ops.freshness.age_hours is
'Đã qua bao nhiêu giờ — hours since then, by the source''s clock';
comment on column ops.freshness.status is
'Tình trạng — fresh (36 hours), late (72 hours), stale; irregular: files come when sent; never';
comment on column ops.freshness.feed_en is 'Tên nguồn, tiếng Anh — the feed, in English';
comment on column ops.freshness.feed_order is 'Thứ tự nguồn — the feed''s place in lists';
comment on column ops.freshness.status_vi is 'Tên tình trạng — the status, in Vietnamese';
comment on column ops.freshness.status_en is 'Tên tình trạng, tiếng Anh — in English';

create or replace view ops.next_cutoffs as
with registered as (
    select
        period ->> 'id' as period_id,
        period ->> 'name_vi' as name_vi,
        period ->> 'name_en' as name_en,
        (period ->> 'cutoff_at')::timestamptz as cutoff_at,
        period ->> 'time_zone' as time_zone
    from ops.configuration,
        jsonb_array_elements(content -> 'periods') as period
    where name = 'periods'
),

judged as (
    select
        registered.*,
        sealed.release_id,
        case
            when sealed.release_id is not null then 'sealed'
            when clock.known_at >= registered.cutoff_at then 'due'
            else 'not_due'
        end as state,
        (registered.cutoff_at at time zone registered.time_zone)::date
        - (clock.source_now at time zone registered.time_zone)::date as days
    from registered
    left join ops.source_clock as clock on true
    left join frozen.release as sealed
        on registered.period_id = sealed.period_id and sealed.is_current
)

select
    judged.period_id,
    judged.name_vi,
    judged.cutoff_at,
    judged.state,
    case when judged.state <> 'sealed' then greatest(judged.days, 0) end as days_left,
    judged.name_en,
    judged.release_id,
    label.name_vi as state_vi,
    label.name_en as state_en
from judged
left join ops.status_label as label on judged.state = label.code;
comment on view ops.next_cutoffs is
'Các thời điểm chốt số — one row per period of config/periods.yml: its cutoff, and what is due';
comment on column ops.next_cutoffs.period_id is 'Mã kỳ — the period';
comment on column ops.next_cutoffs.name_vi is 'Tên kỳ — its Vietnamese name';
comment on column ops.next_cutoffs.cutoff_at is 'Thời điểm chốt số — the cutoff';
comment on column ops.next_cutoffs.state is
'Tình trạng — not_due and due by what is known; sealed';
comment on column ops.next_cutoffs.days_left is
'Còn bao nhiêu ngày — days from the source''s local date to the cutoff''s; null once sealed';
comment on column ops.next_cutoffs.name_en is 'Tên tiếng Anh — its English name';
comment on column ops.next_cutoffs.release_id is
'Bản chốt đang có hiệu lực — its current release; null: not sealed';
comment on column ops.next_cutoffs.state_vi is 'Tên tình trạng — the state, in Vietnamese';
comment on column ops.next_cutoffs.state_en is 'Tên tình trạng, tiếng Anh — in English';

create or replace view ops.disk_use as
select
    schema.nspname::text as schema_name,
    sum(pg_total_relation_size(class.oid))::bigint as bytes,
    pg_database_size(current_database()) as database_bytes
from pg_class as class
inner join pg_namespace as schema on class.relnamespace = schema.oid
where
    class.relkind in ('r', 'm') and not class.relisshared
    and schema.nspname !~ '^pg_(toast|temp)'
group by schema.nspname;
comment on view ops.disk_use is
'Dung lượng đĩa của kho — one row per schema: bytes of its tables with their indexes';
comment on column ops.disk_use.schema_name is 'Lược đồ — the schema';
comment on column ops.disk_use.bytes is
'Số byte của các bảng và chỉ mục — bytes of its tables, indexes and long values';
comment on column ops.disk_use.database_bytes is
'Số byte của cả kho, lặp lại ở mọi dòng, không cộng — bytes of the whole database, the same in '
'each row: never add them up';

-- Every view of these files: a new one takes its place in this list.
do $$
declare
    view_name text;
begin
    foreach view_name in array array[
        'status_label', 'builds', 'nights', 'rule_outcomes', 'control_total_report',
        'source_clock', 'freshness', 'next_cutoffs', 'disk_use', 'incidents'
    ]
    loop
        execute format('alter view ops.%I owner to chotso_owner', view_name);
        execute format('grant select on ops.%I to chotso_operator, chotso_auditor', view_name);
    end loop;
end
$$;
