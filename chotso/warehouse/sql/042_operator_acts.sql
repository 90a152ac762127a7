-- What people decided, landed like a feed: one row per act, inserted once and never changed.
create table ops.operator_act (
    act_id text primary key,
    kind text not null check (kind ~ '^[a-z][a-z_]*$'),
    business_date date not null,
    known_at timestamptz not null,
    subject jsonb not null,
    reason text not null check (btrim(reason) <> ''),
    acted_by text not null check (btrim(acted_by) <> ''),
    landing_path text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    code_version text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
create index on ops.operator_act (known_at);
comment on table ops.operator_act is
'Việc do người vận hành quyết định — what people decided; each also stands in the landing archive';
comment on column ops.operator_act.act_id is
'Mã quyết định — kind, business date and the first digits of the sha256 of the landed file';
comment on column ops.operator_act.kind is
'Loại việc — what was done: waive (bỏ qua một dòng bị cách ly)';
comment on column ops.operator_act.business_date is
'Ngày theo đồng hồ hệ thống nguồn — local date of known_at';
comment on column ops.operator_act.known_at is
'Thời điểm theo đồng hồ hệ thống nguồn — the source''s clock when it was done';
comment on column ops.operator_act.subject is
'Đối tượng — what it was done to: feed, key and sha256 of the row version, its rules and money';
comment on column ops.operator_act.reason is 'Lý do — the reason given';
comment on column ops.operator_act.acted_by is 'Người quyết định — who did it, as they gave it';
comment on column ops.operator_act.landing_path is
'Tệp trong kho lưu trữ — the landed file, below the archive''s root';
comment on column ops.operator_act.sha256 is 'sha256 của tệp đó — of the landed file';

alter table ops.operator_act owner to chotso_owner;
grant select, insert on ops.operator_act to chotso_loader;
grant select on ops.operator_act to chotso_auditor;
