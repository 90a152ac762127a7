-- Rows that a whole read of a register no longer shows. No count of the source's proves that they
-- ended, so they stay in force until they come back or a person says that they are gone.
create table ops.missing_row (
    missing_id bigint generated always as identity primary key,
    feed text not null,
    row_key text not null,
    batch_id text not null references ops.batch,
    missing_since timestamptz not null,
    last_missing timestamptz not null,
    hanging jsonb not null default '[]',
    status text not null default 'missing' check (status in ('missing', 'back', 'closed')),
    ended_at timestamptz,
    resolution text,
    resolved_by text,
    check ((status = 'missing') = (ended_at is null)),
    check ((status = 'closed') = (resolution is not null and resolved_by is not null))
);
create unique index on ops.missing_row (feed, row_key) where status = 'missing';
comment on table ops.missing_row is
'Dòng danh mục không còn thấy ở nguồn, vẫn tính — register rows that a whole read lacked';
comment on column ops.missing_row.feed is 'Nguồn dữ liệu — the feed';
comment on column ops.missing_row.row_key is 'Khóa của dòng — the row''s key, parts joined by |';
comment on column ops.missing_row.batch_id is
'Lô đầu tiên không có dòng này — the first read that lacked it';
comment on column ops.missing_row.missing_since is
'Thiếu từ (giờ hệ thống nguồn) — known_at of that read';
comment on column ops.missing_row.last_missing is
'Lần đọc gần nhất vẫn thiếu — known_at of the newest read that lacked it';
comment on column ops.missing_row.hanging is
'Dữ liệu phụ thuộc — per feed, rows and đồng in force that refer to it, as of the newest read';
comment on column ops.missing_row.status is
'Trạng thái — missing: stays in force; back: delivered again; closed: by an operator''s act';
comment on column ops.missing_row.ended_at is
'Hết thiếu lúc (giờ hệ thống nguồn) — when it came back or was closed';
comment on column ops.missing_row.resolution is 'Lý do kết thúc — why a person closed it';
comment on column ops.missing_row.resolved_by is 'Người quyết định — who closed it';
alter table ops.missing_row owner to chotso_owner;
grant select, insert on ops.missing_row to chotso_loader;
grant update (last_missing, hanging, status, ended_at, resolution, resolved_by)
on ops.missing_row to chotso_loader;
grant select on ops.missing_row to chotso_auditor;

alter table ops.difference drop constraint difference_kind_check;
alter table ops.difference add constraint difference_kind_check
check (kind in ('missing', 'changed', 'gone', 'absent'));
comment on column ops.difference.kind is
'missing: not held; changed: held otherwise; gone: held, and the source no longer has it; absent: '
'held, not read any more, and still in force (ops.missing_row)';
comment on column ops.operator_act.kind is
'Loại việc — what was done: waive (bỏ qua một dòng bị cách ly), close_missing (kết thúc các dòng '
'danh mục không còn ở nguồn)';
