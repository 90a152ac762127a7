-- Corrigenda: why and by whom a release is corrected. The corrected one stays, current no more.
alter table ops."freeze"
add column corrects text,
add column correction_reason text,
add column correction_author text,
add constraint corrigendum_says_why check (
    num_nulls(corrects, correction_reason, correction_author) in (0, 3)
    and (corrects is null or not is_rehearsal)
);
comment on column ops."freeze".corrects is
'Bản chốt được đính chính — of a corrigendum, the release that it corrects';
comment on column ops."freeze".correction_reason is
'Lý do đính chính — of a corrigendum, its reason';
comment on column ops."freeze".correction_author is
'Người đính chính — of a corrigendum, who makes it';

-- What two persons let pass by one knowledge is not let pass by another: a corrigendum that is not
-- sealed yet takes the newest.
alter table ops.freeze_override add column as_known_at timestamptz;
update ops.freeze_override as override
set as_known_at = made.as_known_at
from ops."freeze" as made
where made.release_id = override.release_id;
alter table ops.freeze_override
alter column as_known_at set not null,
drop constraint freeze_override_pkey,
add primary key (release_id, check_code, as_known_at);
comment on column ops.freeze_override.as_known_at is
'Thời điểm nắm dữ liệu khi cho qua — the knowledge by which it was let pass';

alter table frozen.release
add column correction_reason text check (correction_reason ~ '\S'),
add column correction_author text check (correction_author ~ '\S'),
add constraint corrigendum_says_why check (
    case kind
        when 'corrigendum' then num_nonnulls(correction_reason, correction_author) = 2
        else num_nonnulls(correction_reason, correction_author) = 0
    end
);
comment on column frozen.release.correction_reason is
'Lý do đính chính — of a corrigendum, its reason';
comment on column frozen.release.correction_author is
'Người đính chính — of a corrigendum, who made it';
alter table rehearsal.release
add column correction_reason text check (correction_reason is null),
add column correction_author text check (correction_author is null);
comment on column rehearsal.release.correction_reason is
'Luôn trống — always null: a rehearsal corrects nothing';
comment on column rehearsal.release.correction_author is
'Luôn trống — always null: a rehearsal corrects nothing';

create or replace view frozen.current_release with (security_invoker = true) as
select * from frozen.release
where is_current;

-- The one way in which a release stops being current: another one that corrects it is sealed.
create function frozen.supersede() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not new.is_current then
        raise exception using errcode = 'check_violation', constraint = 'corrects_the_current_one',
            message = format('the corrigendum %s must become current', new.release_id);
    end if;
    update frozen.release as corrected
    set is_current = false
    where corrected.release_id = new.corrects
        and corrected.is_current
        and corrected.period_id = new.period_id
        and corrected.cutoff_at = new.cutoff_at
        and corrected.as_known_at <= new.as_known_at;
    if not found then
        raise exception using errcode = 'check_violation', constraint = 'corrects_the_current_one',
            message = format(
                '%s is not the current release of %s, or has another cutoff or newer knowledge',
                new.corrects, new.period_id
            );
    end if;
    return new;
end
$$;
comment on function frozen.supersede is
'Bản bị đính chính thôi hiệu lực — the corrected release is current no more';
alter function frozen.supersede owner to chotso_owner;
revoke execute on function frozen.supersede from public;
create trigger supersede before insert on frozen.release
for each row when (new.kind = 'corrigendum') execute function frozen.supersede();
alter table frozen.release enable always trigger supersede;
