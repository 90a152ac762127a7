-- Sealed releases. Rows are inserted once, by the freeze, and never changed.
create schema frozen authorization chotso_owner;
create schema rehearsal authorization chotso_owner;

comment on schema frozen is
'Số liệu đã chốt — sealed releases; every figure also stands in the release''s bundle of files';
comment on schema rehearsal is
'Diễn tập chốt số, không có giá trị — rehearsals of the freeze, outside the chain, worth nothing';

create table frozen.release (
    release_id text primary key,
    period_id text not null,
    kind text not null check (kind in ('original', 'corrigendum')),
    corrects text references frozen.release,
    is_current boolean not null,
    cutoff_at timestamptz not null,
    as_known_at timestamptz not null check (as_known_at >= cutoff_at),
    root_sha256 text not null unique check (root_sha256 ~ '^[0-9a-f]{64}$'),
    previous_root text references frozen.release (root_sha256),
    data_root text not null check (data_root ~ '^[0-9a-f]{64}$'),
    sealed_at timestamptz not null,
    code_version text not null,
    status text not null check (status in ('sealed', 'certified')),
    -- the chain has one first release and never forks
    constraint one_chain unique nulls not distinct (previous_root),
    constraint period_is_plain check (
        period_id ~ '^[a-z0-9][a-z0-9-]*$' and period_id !~ '(^rehearsal(-|$)|-c[0-9]+$)'
    ),
    constraint release_fits_its_kind check (
        (kind = 'original' and release_id = period_id and corrects is null)
        or (
            kind = 'corrigendum' and corrects is not null
            and release_id ~ ('^' || period_id || '-c[1-9][0-9]*$')
        )
    )
);
create unique index one_original_per_period on frozen.release (period_id) where kind = 'original';
create unique index one_current_per_period on frozen.release (period_id) where is_current;

create table frozen.attainment (
    release_id text not null references frozen.release,
    agency_code text not null,
    agency_name text,
    parent_agency_code text,
    parent_agency_name text,
    month date not null,
    metric_code text not null,
    metric_name_vi text,
    metric_name_en text,
    unit_code text,
    kind_code text,
    direction_code text,
    actual_month numeric,
    actual_to_date numeric,
    numerator numeric,
    denominator numeric,
    plan_original numeric,
    plan_in_force numeric,
    attainment_ratio numeric,
    is_met boolean,
    quarantined_money numeric,
    known_at timestamptz,
    primary key (release_id, agency_code, month, metric_code)
);

create table frozen.arrears_ratio (
    release_id text not null references frozen.release,
    agency_code text not null,
    agency_name text,
    parent_agency_code text,
    parent_agency_name text,
    month date not null,
    group_code text not null,
    variant_code text not null,
    numerator numeric,
    denominator numeric,
    ratio numeric,
    is_met boolean,
    is_official boolean,
    primary key (release_id, agency_code, month, group_code, variant_code)
);

create table frozen.bundle_file (
    release_id text not null references frozen.release,
    path text not null,
    content bytea not null,
    primary key (release_id, path)
);

comment on table frozen.release is 'Các bản chốt số — one row per sealed release';
comment on column frozen.release.release_id is
'Mã bản chốt — the period''s id for the original, <period>-c1, -c2 … for corrigenda';
comment on column frozen.release.period_id is 'Kỳ thi đua — the period, as in config/periods.yml';
comment on column frozen.release.kind is 'Bản gốc hay bản đính chính — original or corrigendum';
comment on column frozen.release.corrects is
'Bản được đính chính — the release that this one corrects';
comment on column frozen.release.is_current is
'Bản đang có hiệu lực của kỳ — the release of its period that counts';
comment on column frozen.release.cutoff_at is
'Thời điểm chốt số: chỉ tính việc xảy ra trước — the cutoff; only what happened before it counts';
comment on column frozen.release.as_known_at is
'Thời điểm nắm dữ liệu — what the warehouse knew then went in';
comment on column frozen.release.root_sha256 is
'Mã gốc: sha256 của manifest.json — the root: sha256 of the bundle''s manifest.json';
comment on column frozen.release.previous_root is
'Mã gốc của bản chốt liền trước — root of the preceding release; null for the first';
comment on column frozen.release.data_root is
'Mã dữ liệu: gốc cây Merkle của data/ — the Merkle root over data/, as printed on reports';
comment on column frozen.release.sealed_at is
'Thời điểm niêm phong (giờ hệ thống nguồn) — when it was sealed, by the source''s clock';
comment on column frozen.release.code_version is
'Phiên bản phần mềm — version and tree hash of the code that built it';
comment on column frozen.release.status is
'Trạng thái: đã niêm phong, đã xác nhận — sealed or certified';

comment on table frozen.attainment is
'Kết quả thực hiện chỉ tiêu đã chốt — attainment as built at the cutoff, all rows of the fact';
comment on column frozen.attainment.release_id is 'Mã bản chốt — the release';
comment on column frozen.attainment.agency_code is 'Mã cơ quan — agency';
comment on column frozen.attainment.agency_name is
'Tên cơ quan trong tháng — the agency''s name in that month, the release''s own copy';
comment on column frozen.attainment.parent_agency_code is 'Mã cơ quan cấp trên — parent agency';
comment on column frozen.attainment.parent_agency_name is
'Tên cơ quan cấp trên trong tháng — the parent''s name in that month';
comment on column frozen.attainment.month is 'Tháng (ngày đầu tháng) — month, its first day';
comment on column frozen.attainment.metric_code is 'Mã chỉ tiêu — metric';
comment on column frozen.attainment.metric_name_vi is 'Tên chỉ tiêu — its Vietnamese name';
comment on column frozen.attainment.metric_name_en is 'Tên tiếng Anh — its English name';
comment on column frozen.attainment.unit_code is 'Đơn vị tính — unit of the figures';
comment on column frozen.attainment.kind_code is
'Loại số liệu — flow, stock or ratio';
comment on column frozen.attainment.direction_code is
'Chiều đạt chỉ tiêu — at_least: actual ≥ plan is met; below: actual < plan is met';
comment on column frozen.attainment.actual_month is 'Thực hiện trong tháng — actual of the month';
comment on column frozen.attainment.actual_to_date is
'Thực hiện lũy kế — flow: year to date; stock: at the month''s end; ratio: numerator ÷ denominator';
comment on column frozen.attainment.numerator is 'Tử số của tỷ lệ — numerator of a ratio metric';
comment on column frozen.attainment.denominator is
'Mẫu số của tỷ lệ — denominator of a ratio metric';
comment on column frozen.attainment.plan_original is
'Chỉ tiêu giao đầu năm — the year''s first plan';
comment on column frozen.attainment.plan_in_force is
'Chỉ tiêu đang có hiệu lực — the plan in force for the month';
comment on column frozen.attainment.attainment_ratio is
'Tỷ lệ hoàn thành — actual to date ÷ plan in force; null without a plan or with plan 0';
comment on column frozen.attainment.is_met is 'Đạt chỉ tiêu — whether the target is met';
comment on column frozen.attainment.quarantined_money is
'Tiền đang cách ly có thể thuộc dòng này (đồng) — money set aside that could belong to this row';
comment on column frozen.attainment.known_at is
'Lô dữ liệu mới nhất đã biết — the newest batch that the build knew';

comment on table frozen.arrears_ratio is
'Tỷ lệ nợ đã chốt theo mọi cách tính — arrears ratios in all variants, as built at the cutoff';
comment on column frozen.arrears_ratio.release_id is 'Mã bản chốt — the release';
comment on column frozen.arrears_ratio.agency_code is 'Mã cơ quan — agency';
comment on column frozen.arrears_ratio.agency_name is
'Tên cơ quan trong tháng — the agency''s name in that month, the release''s own copy';
comment on column frozen.arrears_ratio.parent_agency_code is 'Mã cơ quan cấp trên — parent agency';
comment on column frozen.arrears_ratio.parent_agency_name is
'Tên cơ quan cấp trên trong tháng — the parent''s name in that month';
comment on column frozen.arrears_ratio.month is 'Tháng (ngày đầu tháng) — month, its first day';
comment on column frozen.arrears_ratio.group_code is
'Nhóm quỹ: BHXH, BHTN, BHYT, tổng — si, ui, hi or total';
comment on column frozen.arrears_ratio.variant_code is
'Cách tính: nợ nào chia cho số nào — which arrears over which base';
comment on column frozen.arrears_ratio.numerator is 'Số nợ (đồng) — arrears';
comment on column frozen.arrears_ratio.denominator is
'Số phải thu hoặc kế hoạch (đồng) — receivable to date or plan in force';
comment on column frozen.arrears_ratio.ratio is 'Tỷ lệ nợ — numerator ÷ denominator, 9 decimals';
comment on column frozen.arrears_ratio.is_met is
'Dưới mức quy định — whether the ratio is strictly below the target';
comment on column frozen.arrears_ratio.is_official is
'Cách tính chính thức — whether this variant is the official one';

comment on table frozen.bundle_file is
'Nội dung từng tệp của bộ hồ sơ chốt — every file of the bundle, to restore a lost folder from';
comment on column frozen.bundle_file.release_id is 'Mã bản chốt — the release';
comment on column frozen.bundle_file.path is 'Đường dẫn trong bộ hồ sơ — path inside the bundle';
comment on column frozen.bundle_file.content is 'Nội dung tệp — the file''s bytes';

-- Rehearsals: the same columns; ids that no release can bear, and no chain.
create table rehearsal.release (
    like frozen.release including comments,
    primary key (release_id),
    unique (root_sha256),
    check (kind = 'rehearsal' and corrects is null and previous_root is null and not is_current),
    check (release_id ~ ('^rehearsal-' || period_id || '-[1-9][0-9]*$'))
);
create table rehearsal.attainment (
    like frozen.attainment including all,
    foreign key (release_id) references rehearsal.release
);
create table rehearsal.arrears_ratio (
    like frozen.arrears_ratio including all,
    foreign key (release_id) references rehearsal.release
);
create table rehearsal.bundle_file (
    like frozen.bundle_file including all,
    foreign key (release_id) references rehearsal.release
);

create view frozen.current_release with (security_invoker = true) as
select * from frozen.release
where is_current;
create view frozen.current_attainment with (security_invoker = true) as
select attainment.*
from frozen.attainment
inner join frozen.release using (release_id)
where release.is_current;
create view frozen.current_arrears_ratio with (security_invoker = true) as
select arrears_ratio.*
from frozen.arrears_ratio
inner join frozen.release using (release_id)
where release.is_current;
comment on view frozen.current_release is
'Các bản chốt đang có hiệu lực — the current release of each period';
comment on view frozen.current_attainment is
'Kết quả của các bản chốt đang có hiệu lực — attainment of current releases';
comment on view frozen.current_arrears_ratio is
'Tỷ lệ nợ của các bản chốt đang có hiệu lực — arrears ratios of current releases';

do $$
declare
    relation regclass;
begin
    for relation in
        select oid::regclass from pg_class
        where relnamespace in ('frozen'::regnamespace, 'rehearsal'::regnamespace)
            and relkind in ('r', 'v')
    loop
        execute format('alter table %s owner to chotso_owner', relation);
    end loop;
end
$$;

grant usage on schema frozen to chotso_loader, chotso_reader, chotso_auditor;
grant usage on schema rehearsal to chotso_loader, chotso_auditor;
grant select on all tables in schema frozen to chotso_loader, chotso_reader, chotso_auditor;
grant select on all tables in schema rehearsal to chotso_loader, chotso_auditor;
grant insert on
frozen.release, frozen.attainment, frozen.arrears_ratio, frozen.bundle_file,
rehearsal.release, rehearsal.attainment, rehearsal.arrears_ratio, rehearsal.bundle_file
to chotso_loader;
