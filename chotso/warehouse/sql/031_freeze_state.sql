-- Where each freeze stands: a killed one is finished from here, by whoever runs it next.
create table ops."freeze" (
    release_id text primary key,
    period_id text not null,
    is_rehearsal boolean not null,
    state text not null check (state in ('started', 'extracted', 'built', 'sealed', 'placed')),
    cutoff_at timestamptz not null,
    business_date date not null,
    as_known_at timestamptz,
    batch_ids text[] not null default '{}',
    target_schema text not null,
    inputs_sha256 text,
    root_sha256 text,
    attempt_count integer not null default 0,
    reason text,
    started_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    check (state = 'started' or as_known_at is not null),
    check (state not in ('sealed', 'placed') or root_sha256 is not null)
);
comment on table ops."freeze" is
'Tiến trình chốt số — one row per release in the making: the steps done, and what they fixed';
comment on column ops."freeze".release_id is 'Mã bản chốt — the release that it becomes';
comment on column ops."freeze".period_id is 'Kỳ — the period';
comment on column ops."freeze".is_rehearsal is 'Diễn tập — a rehearsal, outside the chain';
comment on column ops."freeze".state is
'Bước đã xong — the last step done: started, extracted, built, sealed, placed';
comment on column ops."freeze".cutoff_at is 'Thời điểm chốt số — the cutoff';
comment on column ops."freeze".business_date is
'Ngày nghiệp vụ của lần trích cuối — business date of the final extract';
comment on column ops."freeze".as_known_at is
'Thời điểm nắm dữ liệu, cố định từ lần đầu — known_at of the first whole final extract';
comment on column ops."freeze".batch_ids is
'Các lô của lần trích cuối — batches of the final extract';
comment on column ops."freeze".target_schema is 'Lược đồ tạm — scratch schema of the build';
comment on column ops."freeze".inputs_sha256 is
'Mã của mã nguồn và cấu hình khi dựng — hash of code and configuration that the build was made by';
comment on column ops."freeze".root_sha256 is 'Mã gốc — the root, once sealed';
comment on column ops."freeze".attempt_count is 'Số lần chạy — runs so far';
comment on column ops."freeze".reason is
'Lý do dừng lần gần nhất — why the last run stopped, if it did';
comment on column ops."freeze".started_at is 'Bắt đầu (giờ máy chủ) — begun, server''s clock';
comment on column ops."freeze".changed_at is 'Thay đổi gần nhất (giờ máy chủ) — last change';
alter table ops."freeze" owner to chotso_owner;
grant select, insert, update on ops."freeze" to chotso_loader;
grant select on ops."freeze" to chotso_auditor;
