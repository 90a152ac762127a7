-- The run ledger: one row per batch, written before the work begins.
create sequence ops.batch_number as bigint;
alter sequence ops.batch_number owner to chotso_owner;
grant usage on sequence ops.batch_number to chotso_loader;

create table ops.batch (
    batch_id text primary key,
    feed text not null,
    feed_group text not null,
    business_date date not null,
    status text not null
    check (status in ('running', 'published', 'blocked', 'refused', 'failed')),
    read_mode text not null
    check (read_mode in ('whole', 'changes', 'year', 'file', 'replay', 'window')),
    rows_delivered bigint,
    rows_accepted bigint,
    rows_quarantined bigint,
    rows_duplicate bigint,
    rows_changed bigint,
    rows_money_unreadable bigint,
    money_delivered numeric,
    money_accepted numeric,
    money_quarantined numeric,
    known_at timestamptz,
    source_position text,
    sha256 text,
    delivery_name text,
    delivery_sha256 text,
    stated_at timestamptz,
    landing_path text,
    landing_files jsonb,
    final_of text,
    reason text,
    code_version text not null,
    started_at timestamptz not null default clock_timestamp(),
    landed_at timestamptz,
    published_at timestamptz,
    check (status <> 'published' or rows_delivered = rows_accepted + rows_quarantined),
    check (status <> 'published' or money_delivered = money_accepted + money_quarantined)
);
create index on ops.batch (feed, status, known_at);
create index on ops.batch (business_date, feed_group);
comment on table ops.batch is
'Sổ lô dữ liệu — one row per batch: what was delivered, accepted and set aside';

create table ops.feed_position (
    feed text primary key,
    position timestamptz not null,
    batch_id text not null references ops.batch
);
comment on table ops.feed_position is
'Vị trí đã công bố của từng nguồn — how far each feed has been published';

create table ops.rule_result (
    batch_id text not null references ops.batch,
    rule_id text not null,
    severity text not null check (severity in ('block', 'quarantine')),
    is_passed boolean not null,
    rows_failed bigint not null,
    money_failed numeric not null,
    detail text,
    primary key (batch_id, rule_id)
);
comment on table ops.rule_result is 'Kết quả quy tắc — counts per batch and rule, never values';

create table ops.control_total (
    checked_batch_id text not null references ops.batch,
    feed text not null,
    month date not null,
    known_at timestamptz not null,
    source_rows bigint not null,
    source_money numeric not null,
    warehouse_rows bigint not null,
    warehouse_money numeric not null,
    status text not null check (status in ('equal', 'different', 'mended')),
    primary key (checked_batch_id, feed, month)
);
comment on table ops.control_total is
'Đối soát tổng — control totals of the source against what the warehouse holds';

create table ops.statement (
    feed text not null,
    scope_key text not null,
    stated_at timestamptz not null,
    content_sha256 text not null,
    batch_id text not null references ops.batch,
    known_at timestamptz not null,
    primary key (feed, scope_key, stated_at)
);
comment on table ops.statement is
'Các bản kê đầy đủ đã nhận — full statements accepted, by scope and instant';

create table ops.build (
    build_id bigint generated always as identity primary key,
    business_date date not null,
    as_known_at timestamptz not null,
    event_cutoff timestamptz,
    target_schema text not null,
    config jsonb not null,
    config_sha256 text not null,
    code_version text not null,
    status text not null check (status in ('running', 'built', 'exposed', 'failed')),
    reason text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    exposed_at timestamptz
);
comment on table ops.build is 'Các lần dựng số liệu — every build with its configuration';

create table ops.exposed (
    is_only boolean primary key default true check (is_only),
    generation bigint not null references ops.build,
    exposed_at timestamptz not null default clock_timestamp()
);
comment on table ops.exposed is 'Bản dựng đang hiển thị — the build that readers see';

alter table ops.batch owner to chotso_owner;
alter table ops.feed_position owner to chotso_owner;
alter table ops.rule_result owner to chotso_owner;
alter table ops.control_total owner to chotso_owner;
alter table ops.statement owner to chotso_owner;
alter table ops.build owner to chotso_owner;
alter table ops.exposed owner to chotso_owner;
grant select, insert, update on
ops.batch, ops.feed_position, ops.rule_result, ops.control_total, ops.statement, ops.build,
ops.exposed
to chotso_loader;
grant select on all tables in schema ops to chotso_auditor;
grant select on ops.exposed to chotso_reader;
grant usage on schema ops to chotso_reader;
