-- Control totals compared every night, and the row differences that whole reads find.
alter table ops.control_total
drop constraint control_total_status_check;

alter table ops.control_total
add constraint control_total_status_check
check (status in ('equal', 'different', 'mended', 'unreadable'));

alter table ops.control_total
add column detail text;

alter table ops.control_total
add column checked_at timestamptz not null default clock_timestamp();

-- Which comparison is the newest: no clock decides that.
alter table ops.control_total
add column entry bigint generated always as identity;

create index on ops.control_total (feed, month, entry);

create table ops.difference (
    batch_id text not null references ops.batch,
    feed text not null,
    row_key text not null,
    kind text not null check (kind in ('missing', 'changed', 'gone')),
    known_at timestamptz not null,
    money_before numeric,
    money_after numeric,
    primary key (batch_id, row_key, kind)
);
comment on table ops.difference is
'Sai lệch đã tìm thấy khi đọc toàn bộ — rows that a whole read found otherwise than held';
comment on column ops.difference.kind is
'missing: not held; changed: held otherwise; gone: held, and the source no longer has it';

-- A waived version stops being the row's newest when another version is delivered.
alter table quarantine.row
add column replaced_at timestamptz;

alter table ops.difference owner to chotso_owner;
grant select, insert on ops.difference to chotso_loader;
grant select on ops.difference to chotso_auditor;
