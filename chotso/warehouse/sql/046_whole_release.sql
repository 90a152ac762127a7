-- The rest of a sealed release: employers' arrears, officers and the ranking, beside the two facts.
create table frozen.employer_arrears (
    release_id text not null references frozen.release,
    employer_code text not null,
    employer_name text,
    is_name_withheld boolean,
    agency_code text,
    agency_name text,
    parent_agency_code text,
    parent_agency_name text,
    month date not null,
    stated_at timestamptz,
    arrears_si_vnd numeric,
    arrears_ui_vnd numeric,
    arrears_hi_vnd numeric,
    arrears_vnd numeric,
    interest_bearing_arrears_vnd numeric,
    surplus_vnd numeric,
    interest_closing_vnd numeric,
    months_owed_count numeric,
    debt_class_code text,
    employer_status_code text,
    primary key (release_id, employer_code, month)
);
comment on table frozen.employer_arrears is
'Nợ của từng đơn vị từng tháng đã chốt — arrears by release, employer and month';
comment on column frozen.employer_arrears.release_id is 'Mã bản chốt — the release';
comment on column frozen.employer_arrears.employer_code is 'Mã đơn vị — employer';
comment on column frozen.employer_arrears.employer_name is
'Tên đơn vị trong tháng; trống nếu là tên cá nhân — its name; null where it is a person''s';
comment on column frozen.employer_arrears.is_name_withheld is
'Tên là tên cá nhân nên không ghi — whether the name is a person''s and withheld';
comment on column frozen.employer_arrears.agency_code is 'Mã cơ quan — agency';
comment on column frozen.employer_arrears.agency_name is
'Tên cơ quan trong tháng — the agency''s name in that month';
comment on column frozen.employer_arrears.parent_agency_code is
'Mã cơ quan cấp trên — parent agency';
comment on column frozen.employer_arrears.parent_agency_name is
'Tên cơ quan cấp trên trong tháng — the parent''s name in that month';
comment on column frozen.employer_arrears.month is 'Tháng (ngày đầu tháng) — month, its first day';
comment on column frozen.employer_arrears.stated_at is
'Thời điểm kết xuất sổ C12 — instant of the export that the account comes from';
comment on column frozen.employer_arrears.arrears_si_vnd is
'Nợ BHXH, đồng — arrears of the social-insurance funds, đồng';
comment on column frozen.employer_arrears.arrears_ui_vnd is
'Nợ BHTN, đồng — arrears of the unemployment fund, đồng';
comment on column frozen.employer_arrears.arrears_hi_vnd is
'Nợ BHYT, đồng — arrears of the health fund, đồng';
comment on column frozen.employer_arrears.arrears_vnd is 'Tổng nợ, đồng — arrears in all, đồng';
comment on column frozen.employer_arrears.interest_bearing_arrears_vnd is
'Trong đó nợ tính lãi, đồng — of which interest-bearing, đồng';
comment on column frozen.employer_arrears.surplus_vnd is
'Số nộp thừa, đồng, không bù trừ — paid too much, đồng, never netted';
comment on column frozen.employer_arrears.interest_closing_vnd is
'Lãi chậm đóng cuối tháng, đồng — late-payment interest at the month''s end, đồng';
comment on column frozen.employer_arrears.months_owed_count is 'Số tháng nợ — months owed';
comment on column frozen.employer_arrears.debt_class_code is 'Loại nợ — class of debt';
comment on column frozen.employer_arrears.employer_status_code is
'Tình trạng đơn vị — the employer''s status';
create table rehearsal.employer_arrears (
    like frozen.employer_arrears including all,
    foreign key (release_id) references rehearsal.release
);
create view frozen.current_employer_arrears with (security_invoker = true) as
select employer_arrears.*
from frozen.employer_arrears
inner join frozen.release using (release_id)
where release.is_current;

create table frozen.officer_attainment (
    release_id text not null references frozen.release,
    agency_code text not null,
    agency_name text,
    parent_agency_code text,
    parent_agency_name text,
    officer_code text not null,
    officer_name text,
    is_own_agency boolean,
    month date not null,
    metric_code text not null,
    unit_code text,
    kind_code text,
    direction_code text,
    actual_month numeric,
    actual_to_date numeric,
    numerator numeric,
    denominator numeric,
    plan_original numeric,
    plan_in_force numeric,
    plan_final numeric,
    plan_status_code text,
    attainment_ratio numeric,
    is_met boolean,
    primary key (release_id, agency_code, officer_code, month, metric_code)
);
comment on table frozen.officer_attainment is
'Kết quả của cán bộ thu đã chốt — by release, agency, officer, month and metric';
comment on column frozen.officer_attainment.release_id is 'Mã bản chốt — the release';
comment on column frozen.officer_attainment.agency_code is 'Mã cơ quan — agency';
comment on column frozen.officer_attainment.agency_name is
'Tên cơ quan trong tháng — the agency''s name in that month';
comment on column frozen.officer_attainment.parent_agency_code is
'Mã cơ quan cấp trên — parent agency';
comment on column frozen.officer_attainment.parent_agency_name is
'Tên cơ quan cấp trên trong tháng — the parent''s name in that month';
comment on column frozen.officer_attainment.officer_code is
'Mã cán bộ thu; unassigned là chưa phân công — officer, or unassigned';
comment on column frozen.officer_attainment.officer_name is 'Tên cán bộ thu — the officer''s name';
comment on column frozen.officer_attainment.is_own_agency is
'Cán bộ thuộc chính cơ quan này — whether the officer belongs to this agency';
comment on column frozen.officer_attainment.month is
'Tháng (ngày đầu tháng) — month, its first day';
comment on column frozen.officer_attainment.metric_code is 'Mã chỉ tiêu — metric';
comment on column frozen.officer_attainment.unit_code is 'Đơn vị tính — unit of the figures';
comment on column frozen.officer_attainment.kind_code is 'Loại số liệu — flow, stock or ratio';
comment on column frozen.officer_attainment.direction_code is
'Chiều đạt chỉ tiêu — at_least or below';
comment on column frozen.officer_attainment.actual_month is
'Thực hiện trong tháng — actual of the month';
comment on column frozen.officer_attainment.actual_to_date is 'Thực hiện lũy kế — actual to date';
comment on column frozen.officer_attainment.numerator is 'Tử số của tỷ lệ — numerator of a ratio';
comment on column frozen.officer_attainment.denominator is
'Mẫu số của tỷ lệ — denominator of a ratio';
comment on column frozen.officer_attainment.plan_original is
'Chỉ tiêu giao đầu năm — the year''s first plan';
comment on column frozen.officer_attainment.plan_in_force is
'Chỉ tiêu đang có hiệu lực — the plan in force';
comment on column frozen.officer_attainment.plan_final is
'Chỉ tiêu của quyết định cuối cùng đã biết — plan of the last decision known';
comment on column frozen.officer_attainment.plan_status_code is
'Tình trạng kế hoạch — in_force, zero, not_yet or none';
comment on column frozen.officer_attainment.attainment_ratio is
'Tỷ lệ hoàn thành — actual to date ÷ plan in force';
comment on column frozen.officer_attainment.is_met is 'Đạt chỉ tiêu — whether the target is met';
create table rehearsal.officer_attainment (
    like frozen.officer_attainment including all,
    foreign key (release_id) references rehearsal.release
);
create view frozen.current_officer_attainment with (security_invoker = true) as
select officer_attainment.*
from frozen.officer_attainment
inner join frozen.release using (release_id)
where release.is_current;

create table frozen.ranking (
    release_id text not null references frozen.release,
    participant_type text not null,
    participant_code text not null,
    participant_name text,
    agency_code text,
    agency_name text,
    province_code text,
    measured_month date,
    is_at_cutoff boolean,
    is_considered boolean,
    not_considered_code text,
    not_considered_reason_vi text,
    not_considered_reason_en text,
    total_points numeric,
    full_points numeric,
    rank_number numeric,
    tie_broken_by text,
    is_rank_shared boolean,
    explanation_vi text,
    explanation_en text,
    primary key (release_id, participant_type, participant_code)
);
comment on table frozen.ranking is
'Xếp hạng thi đua đã chốt — points and rank by release, agency or officer';
comment on column frozen.ranking.release_id is 'Mã bản chốt — the release';
comment on column frozen.ranking.participant_type is 'Loại đối tượng xếp hạng — agency or officer';
comment on column frozen.ranking.participant_code is 'Mã đối tượng — its code';
comment on column frozen.ranking.participant_name is 'Tên đối tượng — its name';
comment on column frozen.ranking.agency_code is 'Mã cơ quan — agency';
comment on column frozen.ranking.agency_name is
'Tên cơ quan trong tháng — the agency''s name in that month';
comment on column frozen.ranking.province_code is 'Mã tỉnh — province';
comment on column frozen.ranking.measured_month is 'Tháng lấy số liệu — month of the figures';
comment on column frozen.ranking.is_at_cutoff is
'Số liệu tại thời điểm chốt — whether the figures are those of the cutoff';
comment on column frozen.ranking.is_considered is 'Được xét — whether it is considered';
comment on column frozen.ranking.not_considered_code is 'Mã lý do không xét — why not, as a code';
comment on column frozen.ranking.not_considered_reason_vi is
'Lý do không xét — why not, in Vietnamese';
comment on column frozen.ranking.not_considered_reason_en is
'Lý do không xét, tiếng Anh — why not, in English';
comment on column frozen.ranking.total_points is 'Tổng điểm — points in all';
comment on column frozen.ranking.full_points is 'Điểm tối đa — the most points in all';
comment on column frozen.ranking.rank_number is 'Thứ hạng — rank';
comment on column frozen.ranking.tie_broken_by is
'Chỉ tiêu phân định khi bằng điểm — metric that broke the tie';
comment on column frozen.ranking.is_rank_shared is 'Đồng hạng — whether the rank is shared';
comment on column frozen.ranking.explanation_vi is 'Diễn giải — explanation in Vietnamese';
comment on column frozen.ranking.explanation_en is 'Diễn giải tiếng Anh — explanation in English';
create table rehearsal.ranking (
    like frozen.ranking including all,
    foreign key (release_id) references rehearsal.release
);
create view frozen.current_ranking with (security_invoker = true) as
select ranking.*
from frozen.ranking
inner join frozen.release using (release_id)
where release.is_current;

comment on view frozen.current_employer_arrears is
'Nợ đơn vị của các bản chốt đang có hiệu lực — arrears of employers of current releases';
comment on view frozen.current_officer_attainment is
'Kết quả cán bộ của các bản chốt đang có hiệu lực — officers of current releases';
comment on view frozen.current_ranking is
'Xếp hạng của các bản chốt đang có hiệu lực — rankings of current releases';

do $$
declare
    relation text;
begin
    foreach relation in array array['employer_arrears', 'officer_attainment', 'ranking']
    loop
        execute format('alter table frozen.%I owner to chotso_owner', relation);
        execute format('alter table rehearsal.%I owner to chotso_owner', relation);
        execute format('alter view frozen.%I owner to chotso_owner', 'current_' || relation);
    end loop;
end
$$;

grant select on
frozen.employer_arrears, frozen.officer_attainment, frozen.ranking,
frozen.current_employer_arrears, frozen.current_officer_attainment, frozen.current_ranking
to chotso_loader, chotso_reader, chotso_auditor;
grant select on rehearsal.employer_arrears, rehearsal.officer_attainment, rehearsal.ranking
to chotso_loader, chotso_auditor;
grant insert on
frozen.employer_arrears, frozen.officer_attainment, frozen.ranking,
rehearsal.employer_arrears, rehearsal.officer_attainment, rehearsal.ranking
to chotso_loader;
