-- What became known after a release and would have counted at its cutoff: recorded, never applied.
create table frozen.late_run (
    release_id text not null references frozen.release,
    known_from timestamptz not null,
    known_until timestamptz not null,
    change_count bigint not null check (change_count >= 0),
    code_version text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (release_id, known_until),
    -- the runs of a release follow each other without a gap, and none twice
    constraint one_chain_of_runs unique (release_id, known_from),
    check (known_from < known_until)
);
comment on table frozen.late_run is
'Các lần ghi sổ số liệu đến sau — one row per run that looked for late changes';
comment on column frozen.late_run.release_id is 'Mã bản chốt — the release';
comment on column frozen.late_run.known_from is
'Dữ liệu biết sau thời điểm này — knowledge after this instant was looked at';
comment on column frozen.late_run.known_until is
'Đến hết thời điểm này — up to and including this instant';
comment on column frozen.late_run.change_count is 'Số dòng đã ghi — how many changes it recorded';
comment on column frozen.late_run.code_version is
'Phiên bản phần mềm — version and tree hash of the code that found them';
comment on column frozen.late_run.recorded_at is
'Thời điểm ghi (giờ máy chủ) — when, by the server''s clock';

create table frozen.late_change (
    release_id text not null,
    known_until timestamptz not null,
    feed text not null
    check (feed in ('allocations', 'participations', 'c12', 'plans')),
    item_key text not null,
    reason_code text not null check (reason_code in (
        'late_recording', 'correction', 'voiding', 'plan_decision', 'quarantine_release'
    )),
    agency_code text not null,
    metric_code text not null,
    month date not null,
    last_month date not null check (last_month >= month),
    unit_code text not null,
    amount numeric not null,
    base_amount numeric not null,
    known_at timestamptz not null,
    batch_id text,
    file_name text,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (
        release_id, known_until, feed, item_key, reason_code, agency_code, metric_code, month
    ),
    foreign key (release_id, known_until) references frozen.late_run (release_id, known_until)
);
comment on table frozen.late_change is
'Sổ số liệu đến sau kỳ chốt, không được tính vào — one row per late change of a figure';
comment on column frozen.late_change.release_id is 'Mã bản chốt — the release';
comment on column frozen.late_change.known_until is
'Lần ghi sổ — the run that recorded it, as in frozen.late_run';
comment on column frozen.late_change.feed is
'Nguồn: dòng phân bổ, quá trình tham gia, sổ C12, kế hoạch — where the item comes from';
comment on column frozen.late_change.item_key is
'Khóa của dòng (mảng JSON), không có tên hay số định danh cá nhân — the item''s key, a JSON array';
comment on column frozen.late_change.reason_code is
'Lý do: ghi nhận muộn, điều chỉnh, hủy, quyết định kế hoạch, đưa ra khỏi cách ly — why it is late';
comment on column frozen.late_change.agency_code is
'Cơ quan của dòng; cấp tỉnh cộng thêm — agency that the item is filed under; its province adds up';
comment on column frozen.late_change.metric_code is
'Chỉ tiêu, không ghi dòng tổng — metric; a total is the sum of its own';
comment on column frozen.late_change.month is
'Tháng đầu tiên bị ảnh hưởng — first month whose figure it would have changed';
comment on column frozen.late_change.last_month is
'Tháng cuối cùng bị ảnh hưởng — last such month';
comment on column frozen.late_change.unit_code is 'Đơn vị tính — vnd, person or fraction';
comment on column frozen.late_change.amount is
'Mức thay đổi trong mỗi tháng đó — what it adds in each: đồng paid or owed, persons, plan';
comment on column frozen.late_change.base_amount is
'Thay đổi số phải thu của tháng (nợ) — of an account, what it adds to the month''s receivable';
comment on column frozen.late_change.known_at is
'Thời điểm kho dữ liệu biết — since when the warehouse knows it';
comment on column frozen.late_change.batch_id is
'Lô đưa dòng vào; trống nếu dòng không còn — its batch; null where the item is gone';
comment on column frozen.late_change.file_name is 'Tệp của lô — the batch''s file';
comment on column frozen.late_change.recorded_at is
'Thời điểm ghi (giờ máy chủ) — when it was recorded, by the server''s clock';

alter table frozen.late_run owner to chotso_owner;
alter table frozen.late_change owner to chotso_owner;
grant select on frozen.late_run, frozen.late_change to chotso_loader, chotso_reader, chotso_auditor;

create function frozen.record_late(
    of_release text, after_instant timestamptz, until_instant timestamptz, by_code text,
    changes jsonb
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    reached timestamptz;
    newest timestamptz;
    counted bigint;
begin
    -- one run at a time: the next one goes on where this one ends
    lock table frozen.late_run in share row exclusive mode;
    select coalesce(max(run.known_until), max(release.as_known_at)) into reached
    from frozen.release as release
    left join frozen.late_run as run on run.release_id = release.release_id
    where release.release_id = of_release;
    if reached is null then
        raise exception 'there is no sealed release %', of_release;
    end if;
    if until_instant <= reached then
        return 0;
    end if;
    if after_instant <> reached then
        raise exception 'the register of % goes on from %, not from %',
            of_release, reached, after_instant;
    end if;
    select greatest(max(batch.known_at), (select max(act.known_at) from ops.operator_act as act))
    into newest
    from ops.batch as batch
    where batch.status = 'published';
    if until_instant > coalesce(newest, reached) then
        raise exception 'nothing is known at % yet', until_instant;
    end if;
    insert into frozen.late_run (release_id, known_from, known_until, change_count, code_version)
    values (of_release, reached, until_instant, jsonb_array_length(changes), by_code);
    insert into frozen.late_change (release_id, known_until, feed, item_key, reason_code,
        agency_code, metric_code, month, last_month, unit_code, amount, base_amount, known_at,
        batch_id, file_name)
    select of_release, until_instant, change.feed, change.item_key, change.reason_code,
        change.agency_code, change.metric_code, change.month, change.last_month,
        change.unit_code, change.amount, change.base_amount, change.known_at,
        change.batch_id, change.file_name
    from jsonb_to_recordset(changes) as change (
        feed text, item_key text, reason_code text, agency_code text, metric_code text,
        month date, last_month date, unit_code text, amount numeric, base_amount numeric,
        known_at timestamptz, batch_id text, file_name text
    );
    get diagnostics counted = row_count;
    return counted;
end
$$;
comment on function frozen.record_late is
'Ghi sổ số liệu đến sau — records what became known after a release; nothing is ever applied';
alter function frozen.record_late owner to chotso_owner;
revoke execute on function frozen.record_late from public;
grant execute on function frozen.record_late to chotso_loader;
