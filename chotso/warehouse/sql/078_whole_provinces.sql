-- Which rows are a whole province's: the frozen facts have all columns of their marts.
do $$
declare
    place text;
    fact text;
begin
    foreach place in array array['frozen', 'rehearsal', 'sealing'] loop
        foreach fact in array array['attainment', 'arrears_ratio'] loop
            execute format('alter table %I.%I add column is_province boolean', place, fact);
            if place <> 'sealing' then
                execute format(
                    'comment on column %I.%I.is_province is %L', place, fact,
                    'Dòng của toàn tỉnh; trống ở bản cũ — the row is of a whole province; null in '
                    'releases from before there was it'
                );
            end if;
        end loop;
    end loop;
end
$$;

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
