-- What each model and test of a build does, written while the build runs.
create table ops.build_node (
    build_id bigint not null references ops.build,
    node text not null,
    kind text not null check (kind in ('model', 'test')),
    model text,
    status text not null check (status in (
        'running', 'success', 'pass', 'warn', 'fail', 'error', 'skipped', 'killed'
    )),
    started_at timestamptz not null,
    ended_at timestamptz,
    seconds numeric(12, 3),
    rows bigint,
    message text,
    primary key (build_id, node)
);
create index build_node_running on ops.build_node (build_id) where status = 'running';
comment on table ops.build_node is
'Từng mô hình và phép kiểm tra của một lần dựng — one row per model and test of a build, from its '
'start on; builds of the last 400 days';
comment on column ops.build_node.build_id is 'Số của bản dựng — number of the build';
comment on column ops.build_node.node is
'Tên mô hình hoặc phép kiểm tra — name of the model or test';
comment on column ops.build_node.kind is 'Loại — model or test';
comment on column ops.build_node.model is
'Mô hình được dựng hoặc được kiểm tra — the model itself, or the one that the test is about';
comment on column ops.build_node.status is
'Trạng thái — running; success or error of a model; pass, warn, fail or error of a test; skipped '
'after another''s failure; killed: its build ended before it';
comment on column ops.build_node.started_at is 'Bắt đầu (giờ máy chủ) — begun, server''s clock';
comment on column ops.build_node.ended_at is
'Kết thúc (giờ máy chủ) — ended; null while it runs, and when it was killed';
comment on column ops.build_node.seconds is 'Số giây — seconds from start to end';
comment on column ops.build_node.rows is
'Số dòng — rows that the model has, or that fail the test; null: a view, or unknown';
comment on column ops.build_node.message is
'Lý do, không có giá trị — why it failed, without values of rows';
alter table ops.build_node owner to chotso_owner;
grant select, insert, update, delete on ops.build_node to chotso_loader;
grant select on ops.build_node to chotso_auditor;
