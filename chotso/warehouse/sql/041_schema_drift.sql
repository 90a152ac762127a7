-- What the source's relations have that the contracts do not say, and the other way round.
create table ops.schema_drift (
    feed text not null,
    relation text not null,
    column_name text not null,
    kind text not null check (kind in ('added', 'missing', 'retyped')),
    found_type text,
    expected text,
    contract_line text not null,
    batch_id text not null references ops.batch,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    unique nulls not distinct (feed, relation, column_name, kind, found_type),
    check ((kind = 'missing') = (found_type is null)),
    check ((kind = 'added') = (expected is null))
);
comment on table ops.schema_drift is
'Thay đổi cấu trúc ở nguồn — columns of the source that differ from the contract';
comment on column ops.schema_drift.feed is 'Nguồn dữ liệu — the feed';
comment on column ops.schema_drift.relation is 'Bảng ở nguồn — the source''s relation';
comment on column ops.schema_drift.column_name is 'Cột — the column';
comment on column ops.schema_drift.kind is
'Loại thay đổi — added (recorded), missing or retyped (blocks)';
comment on column ops.schema_drift.found_type is 'Kiểu ở nguồn — type found at the source';
comment on column ops.schema_drift.expected is 'Kiểu đã cam kết — type of the contract';
comment on column ops.schema_drift.contract_line is
'Dòng trong cam kết — file and line of the contract';
comment on column ops.schema_drift.batch_id is
'Lô thấy lần cuối — the newest batch that saw it';
comment on column ops.schema_drift.first_seen is
'Thấy lần đầu (giờ hệ thống nguồn) — first seen, source''s clock';
comment on column ops.schema_drift.last_seen is
'Thấy lần cuối (giờ hệ thống nguồn) — last seen, source''s clock';
alter table ops.schema_drift owner to chotso_owner;
grant select, insert, update on ops.schema_drift to chotso_loader;
grant select on ops.schema_drift to chotso_auditor;
