-- What `chotso migrate` registers and the loader cannot write: a seal measures a bundle by it.
create table ops.configuration (
    name text primary key,
    content jsonb not null
);
comment on table ops.configuration is
'Cấu hình quyết định số liệu, ghi lúc nâng cấp — registers that decide figures, as last migrated';
comment on column ops.configuration.name is
'Tên tệp, không có .yml — periods, metrics or measures: the file of config/';
comment on column ops.configuration.content is
'Nội dung — its content; dates and decimals are text, as written';

create table sealing.data_file (
    name text primary key,
    header text not null,
    statement text
);
comment on table sealing.data_file is
'Cách lập từng tệp số liệu — how each data file of a release follows from a build';
comment on column sealing.data_file.name is 'Tên tệp, không có .csv — data/<name>.csv';
comment on column sealing.data_file.header is 'Dòng đầu — its first line';
comment on column sealing.data_file.statement is
'Câu lệnh lập các dòng; trống là tệp chỉ có ở bản đính chính — the query that gives the other '
'lines as one text; null for what only a corrigendum has, which follows from no build';

create table sealing.document (
    path text primary key,
    sha256 text not null
);
comment on table sealing.document is
'Tài liệu kèm mọi bản chốt — what every bundle carries besides: its verifier and its description';
comment on column sealing.document.path is 'Đường dẫn trong hồ sơ — path inside the bundle';
comment on column sealing.document.sha256 is 'Mã băm nội dung — hash of its bytes';

alter table ops.configuration owner to chotso_owner;
alter table sealing.data_file owner to chotso_owner;
alter table sealing.document owner to chotso_owner;
grant select on ops.configuration, sealing.data_file, sealing.document to chotso_loader;
grant select on ops.configuration to chotso_auditor;
