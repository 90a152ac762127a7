-- What is or was wrong, as the watch saw it (docs/watch.md), and who was told.
create table ops.incident (
    incident_id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    business_date date not null,
    period_id text,
    severity text not null check (severity in ('critical', 'error', 'warning')),
    what text not null,
    kept text,
    next_step text not null,
    dag_id text,
    task_id text,
    log_url text,
    fault_count integer not null default 1,
    opened_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    ended_at timestamptz,
    ended_by text,
    end_reason text,
    unique (kind, subject, business_date),
    check ((ended_at is null) = (ended_by is null)),
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
create index on ops.incident (kind, subject) where ended_at is null;
comment on table ops.incident is
'Sự cố — one row per cause and night: what is wrong, what was kept, and the next step';
comment on column ops.incident.kind is 'Loại sự cố — the kind; each has a runbook';
comment on column ops.incident.subject is 'Đối tượng — the feed, file, DAG or place';
comment on column ops.incident.business_date is
'Ngày nghiệp vụ của đêm — the night that it belongs to, or in which it was found';
comment on column ops.incident.period_id is 'Kỳ bị ảnh hưởng — the period at stake, if any';
comment on column ops.incident.severity is
'Mức độ — critical: figures or a cutoff are at stake; error: a night is; warning';
comment on column ops.incident.what is 'Chuyện gì đã xảy ra — what happened, and to what';
comment on column ops.incident.kept is 'Phần còn nguyên — what was not changed';
comment on column ops.incident.next_step is 'Việc cần làm — the next step';
comment on column ops.incident.dag_id is 'DAG — the DAG that a person looks at';
comment on column ops.incident.task_id is 'Tác vụ — its task';
comment on column ops.incident.log_url is 'Nhật ký — where the task''s log is shown';
comment on column ops.incident.fault_count is
'Số lần ghi nhận — faults counted into it: tasks that failed, consequences, times it came back';
comment on column ops.incident.opened_at is 'Bắt đầu (giờ máy chủ) — opened, server''s clock';
comment on column ops.incident.last_seen_at is 'Thấy lần cuối lúc — when it was last seen';
comment on column ops.incident.acknowledged_at is 'Được tiếp nhận lúc — acknowledged at';
comment on column ops.incident.acknowledged_by is 'Người tiếp nhận — who sees to it';
comment on column ops.incident.ended_at is 'Kết thúc lúc — ended; null: it is open';
comment on column ops.incident.ended_by is
'Người đóng, hoặc watch — who closed it; watch: its cause is gone';
comment on column ops.incident.end_reason is 'Lý do đóng — why it was closed';

create table ops.incident_notice (
    incident_id bigint not null references ops.incident (incident_id),
    event text not null check (event in ('opened', 'worse', 'again', 'ended')),
    route text not null,
    due_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    try_count integer not null default 0,
    error text,
    primary key (incident_id, event, route)
);
comment on table ops.incident_notice is
'Thông báo sự cố — one row per incident, event and route: each is sent once';
comment on column ops.incident_notice.incident_id is 'Sự cố — the incident';
comment on column ops.incident_notice.event is
'Sự kiện — opened, worse (it became critical), again (it came back), ended';
comment on column ops.incident_notice.route is 'Đường gửi, không có bí mật — the route by name';
comment on column ops.incident_notice.due_at is 'Cần gửi từ lúc — since when it is to be sent';
comment on column ops.incident_notice.sent_at is 'Đã gửi lúc — sent; null: not yet';
comment on column ops.incident_notice.try_count is 'Số lần thử — tries so far';
comment on column ops.incident_notice.error is 'Lỗi lần thử gần nhất — why the last try failed';

create table ops.release_check (
    check_id bigint generated always as identity primary key,
    checked_at timestamptz not null default clock_timestamp(),
    result text not null check (result in ('verified', 'unanchored', 'differs', 'nothing')),
    releases integer not null,
    what text
);
comment on table ops.release_check is
'Các lần đối chiếu bản chốt — one row per comparison of all releases with their anchors';
comment on column ops.release_check.checked_at is 'Lúc đối chiếu (giờ máy chủ) — when';
comment on column ops.release_check.result is
'Kết quả — verified; unanchored: nothing vouches for one; differs; nothing is sealed';
comment on column ops.release_check.releases is 'Số bản chốt — how many releases';
comment on column ops.release_check.what is 'Chi tiết — what was found';

-- Words for the view ops.incidents, written by `chotso migrate` from chotso/incident_kinds.py.
create table ops.incident_kind (
    kind text primary key,
    name_vi text not null,
    name_en text not null
);
comment on table ops.incident_kind is
'Các loại sự cố, ghi lúc nâng cấp — the kinds of incidents and their names, as last migrated';
comment on column ops.incident_kind.kind is 'Loại sự cố — the kind';
comment on column ops.incident_kind.name_vi is 'Tên loại — its Vietnamese name';
comment on column ops.incident_kind.name_en is 'Tên tiếng Anh — its English name';

alter table ops.incident owner to chotso_owner;
alter table ops.incident_kind owner to chotso_owner;
alter table ops.incident_notice owner to chotso_owner;
alter table ops.release_check owner to chotso_owner;
grant select, insert, update on ops.incident, ops.incident_notice to chotso_loader;
grant select, insert on ops.release_check to chotso_loader;
grant select on ops.incident, ops.incident_notice, ops.incident_kind, ops.release_check
to chotso_auditor;
