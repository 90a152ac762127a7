-- What operators see inside a build: names, times, rows and statuses, no message.
create or replace view ops.build_nodes as
with label (code, name_vi, name_en) as (
    values
    ('model', 'Mô hình', 'model'),
    ('test', 'Phép kiểm tra', 'test'),
    ('running', 'Đang chạy', 'running'),
    ('success', 'Đã dựng', 'built'),
    ('pass', 'Đạt', 'passed'),
    ('warn', 'Cảnh báo', 'warned'),
    ('fail', 'Không đạt', 'failed'),
    ('error', 'Lỗi', 'error'),
    ('skipped', 'Bỏ qua', 'skipped'),
    ('killed', 'Bị ngắt', 'ended with its build')
),

judged as (
    select
        node.*,
        build.business_date,
        build.kind as build_kind,
        case
            when node.status = 'running' and build.status <> 'running' then 'killed'
            else node.status
        end as status_code
    from ops.build_node as node
    inner join ops.builds as build on node.build_id = build.build_id
)

select
    judged.build_id,
    judged.business_date,
    judged.build_kind,
    judged.node,
    judged.kind,
    judged.model,
    judged.status_code as status,
    judged.started_at,
    judged.ended_at,
    case
        when judged.status_code = 'running'
            then extract(epoch from clock_timestamp() - judged.started_at)::numeric(12, 3)
        else judged.seconds
    end as seconds,
    judged.rows,
    kind.name_vi as kind_vi,
    kind.name_en as kind_en,
    status.name_vi as status_vi,
    status.name_en as status_en
from judged
left join label as kind on judged.kind = kind.code
left join label as status on judged.status_code = status.code;
comment on view ops.build_nodes is
'Từng bước của các lần dựng — one row per model and test of a build, from its start on; builds of '
'the last 400 days';
comment on column ops.build_nodes.build_id is 'Số của bản dựng — number of the build';
comment on column ops.build_nodes.business_date is 'Ngày nghiệp vụ — business date of the build';
comment on column ops.build_nodes.build_kind is
'Loại bản dựng — kind of the build: night, freeze, rehearsal or scratch';
comment on column ops.build_nodes.node is
'Tên mô hình hoặc phép kiểm tra — name of the model or test';
comment on column ops.build_nodes.kind is 'Loại — model or test';
comment on column ops.build_nodes.model is
'Mô hình được dựng hoặc được kiểm tra — the model itself, or the one that the test is about';
comment on column ops.build_nodes.status is
'Trạng thái — running, success, pass, warn, fail, error, skipped, or killed with its build';
comment on column ops.build_nodes.started_at is 'Bắt đầu (giờ máy chủ) — begun, server''s clock';
comment on column ops.build_nodes.ended_at is
'Kết thúc (giờ máy chủ) — ended; null while it runs, and when it was killed';
comment on column ops.build_nodes.seconds is
'Số giây; đang chạy thì tính đến bây giờ — seconds that it took, or has run until now';
comment on column ops.build_nodes.rows is
'Số dòng — rows that the model has, or that fail the test; null: a view, or unknown';
comment on column ops.build_nodes.kind_vi is 'Tên loại — the kind, in Vietnamese';
comment on column ops.build_nodes.kind_en is 'Tên loại, tiếng Anh — the kind, in English';
comment on column ops.build_nodes.status_vi is 'Tên trạng thái — the status, in Vietnamese';
comment on column ops.build_nodes.status_en is 'Tên trạng thái, tiếng Anh — the status, in English';
alter view ops.build_nodes owner to chotso_owner;
grant select on ops.build_nodes to chotso_operator, chotso_auditor;
grant select, insert, update, delete on ops.build_node to chotso_loader;
grant select on ops.build_node to chotso_auditor;
