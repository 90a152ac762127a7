-- Money set aside that could change a figure to date: the frozen fact has all its mart has.
alter table frozen.attainment add column quarantined_to_date numeric;
alter table rehearsal.attainment add column quarantined_to_date numeric;
alter table sealing.attainment add column quarantined_to_date numeric;

create or replace view frozen.current_attainment with (security_invoker = true) as
select attainment.*
from frozen.attainment
inner join frozen.release using (release_id)
where release.is_current;

comment on column frozen.attainment.quarantined_to_date is
'Tiền bị cách ly có thể làm thay đổi số lũy kế, mỗi đồng một lần; trống ở bản cũ — đồng set '
'aside that could change the figure to date, each once; null in releases from before there was it';
comment on column rehearsal.attainment.quarantined_to_date is
'Như frozen.attainment — as in frozen.attainment';
