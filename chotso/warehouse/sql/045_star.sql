-- What the marts know since the whole star: the frozen facts keep every column of theirs.
alter table frozen.attainment
add column agency_key text,
add column plan_final numeric,
add column plan_status_code text;

alter table frozen.arrears_ratio
add column agency_key text,
add column has_differing_verdicts boolean;

alter table rehearsal.attainment
add column agency_key text,
add column plan_final numeric,
add column plan_status_code text;

alter table rehearsal.arrears_ratio
add column agency_key text,
add column has_differing_verdicts boolean;

create or replace view frozen.current_attainment with (security_invoker = true) as
select attainment.*
from frozen.attainment
inner join frozen.release using (release_id)
where release.is_current;

create or replace view frozen.current_arrears_ratio with (security_invoker = true) as
select arrears_ratio.*
from frozen.arrears_ratio
inner join frozen.release using (release_id)
where release.is_current;

comment on column frozen.attainment.agency_key is
'Khóa tên gọi và cấp trên của cơ quan vào ngày cuối tháng — name and parent as they were';
comment on column frozen.attainment.plan_final is
'Kế hoạch của quyết định cuối cùng trong năm đã biết — plan of the year''s last decision known';
comment on column frozen.attainment.plan_status_code is
'Tình trạng kế hoạch: in_force, zero, not_yet, none — state of the plan';
comment on column frozen.arrears_ratio.agency_key is
'Khóa tên gọi và cấp trên của cơ quan vào ngày cuối tháng — name and parent as they were';
comment on column frozen.arrears_ratio.has_differing_verdicts is
'Các cách tính cho kết luận khác nhau — the variants do not agree whether the target is met';
