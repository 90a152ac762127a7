-- What lies in the drop folder: deliveries, and what was seen there and not taken.
create table ops.drop_entry (
    name text primary key,
    feed text,
    kind text not null check (kind in (
        'delivery', 'near_name', 'bad_name', 'no_file', 'orphan_manifest', 'in_progress', 'other',
        'waits', 'unreadable'
    )),
    reason text,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    gone_at timestamptz
);
comment on table ops.drop_entry is
'Những gì có trong thư mục nhận tệp — one row per name that lay in the drop folder';
comment on column ops.drop_entry.name is
'Tên tệp, ký tự lạ được viết rõ — the name, with what cannot be seen made visible';
comment on column ops.drop_entry.feed is
'Nguồn dữ liệu; trống nếu tên không thuộc nguồn nào — the feed whose name it bears, or null';
comment on column ops.drop_entry.kind is
'Được coi là gì — what it is taken for: delivery, or why it was not taken';
comment on column ops.drop_entry.reason is 'Lý do không nhận — why it was not taken';
comment on column ops.drop_entry.first_seen is
'Thấy lần đầu với tình trạng này — since when it lies there as what it is now';
comment on column ops.drop_entry.last_seen is 'Thấy lần cuối — when it was last seen';
comment on column ops.drop_entry.gone_at is
'Lần đầu không còn thấy; trống là còn đó — when it was first missed; null while it is there';
alter table ops.drop_entry owner to chotso_owner;
grant select, insert, update on ops.drop_entry to chotso_loader;
grant select on ops.drop_entry to chotso_auditor;
