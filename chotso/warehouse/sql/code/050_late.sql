-- The register of late changes.

create or replace function frozen.record_late(
    of_release text, after_instant timestamptz, until_instant timestamptz, by_code text,
    changes jsonb
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    reached timestamptz;
    newest timestamptz;
    problem text;
    counted bigint;
begin
    -- one run at a time, because the next one continues where this one ends; of the modes that
    -- exclude another run, this is the one that a PREPARE of a DELETE does not block
    lock table frozen.late_run in share update exclusive mode;
    select coalesce(max(run.known_until), max(release.as_known_at)) into reached
    from frozen.release as release
    left join frozen.late_run as run on run.release_id = release.release_id
    where release.release_id = of_release;
    if reached is null then
        raise exception 'there is no sealed release %', of_release;
    end if;
    if until_instant <= reached then
        return 0;
    end if;
    if after_instant <> reached then
        raise exception 'the register of % goes on from %, not from %',
            of_release, reached, after_instant;
    end if;
    select greatest(max(batch.known_at), (select max(act.known_at) from ops.operator_act as act))
    into newest
    from ops.batch as batch
    where batch.status = 'published';
    if until_instant > coalesce(newest, reached) then
        raise exception 'nothing is known at % yet', until_instant;
    end if;
    problem := sealing.late_problem(of_release, reached, until_instant, changes);
    if problem is not null then
        raise exception 'the register of % takes no inventions: %', of_release, problem;
    end if;
    insert into frozen.late_run (release_id, known_from, known_until, change_count, code_version)
    values (of_release, reached, until_instant, jsonb_array_length(changes), by_code);
    insert into frozen.late_change (release_id, known_until, feed, item_key, reason_code,
        agency_code, metric_code, month, last_month, unit_code, amount, base_amount, known_at,
        batch_id, file_name)
    select of_release, until_instant, change.feed, change.item_key, change.reason_code,
        change.agency_code, change.metric_code, change.month, change.last_month,
        change.unit_code, change.amount, change.base_amount, change.known_at,
        change.batch_id, change.file_name
    from jsonb_to_recordset(changes) as change (
        feed text, item_key text, reason_code text, agency_code text, metric_code text,
        month date, last_month date, unit_code text, amount numeric, base_amount numeric,
        known_at timestamptz, batch_id text, file_name text
    );
    get diagnostics counted = row_count;
    return counted;
end
$$;
comment on function frozen.record_late is
'Ghi sổ số liệu đến sau — records what became known after a release; nothing is ever applied';
alter function frozen.record_late owner to chotso_owner;
revoke execute on function frozen.record_late from public;
grant execute on function frozen.record_late to chotso_loader;
