-- One row per set-aside row version. `row` holds the batch row's columns, no personal data.
create table quarantine.row (
    id bigint generated always as identity primary key,
    feed text not null,
    batch_id text not null references ops.batch,
    rule_id text not null,
    rule_ids text[] not null,
    detail text,
    row_key text not null,
    scope_key text,
    row jsonb not null,
    row_sha256 text not null,
    money numeric not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    status text not null check (status in ('open', 'replayed', 'waived')),
    resolved_at timestamptz,
    resolution text,
    resolved_by text,
    check ((status = 'open') = (resolved_at is null))
);
create unique index one_open_row_per_version on quarantine.row (feed, row_key, row_sha256)
where status in ('open', 'waived');
create index on quarantine.row (feed, row_key);
create index on quarantine.row (batch_id);
comment on table quarantine.row is
'Dòng bị cách ly — rows set aside whole, with their money and every rule they broke';
alter table quarantine.row owner to chotso_owner;
grant select, insert, update on quarantine.row to chotso_loader;
grant select on quarantine.row to chotso_auditor;
