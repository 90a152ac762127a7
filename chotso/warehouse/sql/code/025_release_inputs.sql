-- The inputs of a release, in the form of the manifest, from the warehouse's own ledger.

-- A batch that changed nothing and set nothing aside is no input. So reading a night twice, or
-- finishing a killed one, does not make a different release. A statement that repeats the rows in
-- force is an input, because its instant counts. So is a batch that ended rows in quarantine.
create or replace function ops.release_inputs(at_instant timestamptz) returns setof jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'feed', normalize(batch.feed, nfc),
        'business_date', to_char(batch.business_date, 'YYYY-MM-DD'),
        'known_at', sealing.instant_text(batch.known_at),
        'delivery_name', normalize(batch.delivery_name, nfc),
        'sha256', batch.sha256,
        'delivery_sha256', batch.delivery_sha256,
        'rows_delivered', batch.rows_delivered,
        'money_delivered', trim_scale(batch.money_delivered)::text
    )
    from ops.batch as batch
    where batch.status = 'published' and batch.known_at <= at_instant
        and (
            batch.rows_changed is distinct from 0
            or batch.rows_quarantined is distinct from 0
            or exists (
                select from ops.statement as stated where stated.batch_id = batch.batch_id
            )
            or exists (
                select from quarantine.row as ended
                where ended.feed = batch.feed and ended.status = 'replayed'
                    and ended.resolved_at = batch.known_at
            )
        )
    union all
    select jsonb_build_object(
        'act_id', normalize(act.act_id, nfc),
        'kind', act.kind,
        'known_at', sealing.instant_text(act.known_at),
        'sha256', act.sha256
    )
    from ops.operator_act as act
    where act.known_at <= at_instant
$$;
comment on function ops.release_inputs is
'Dữ liệu đầu vào của bản chốt — inputs of a release that knows what was known at an instant';

create or replace function ops.newest_deliveries(at_instant timestamptz) returns setof jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'feed', normalize(feed, nfc),
        'business_date', to_char(max(business_date), 'YYYY-MM-DD'),
        'known_at', sealing.instant_text(max(known_at))
    )
    from ops.batch
    where status = 'published' and known_at <= at_instant and read_mode <> 'replay'
    group by feed
$$;
comment on function ops.newest_deliveries is
'Lần đọc mới nhất của từng nguồn — per feed, its newest delivery at an instant';

do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'sealing'::regnamespace
            or pronamespace = 'ops'::regnamespace
            and proname in ('release_inputs', 'newest_deliveries')
    loop
        execute format('alter function %s owner to chotso_owner', routine);
        execute format('revoke execute on function %s from public', routine);
    end loop;
end
$$;
grant execute on function
ops.release_inputs, ops.newest_deliveries, sealing.instant_text to chotso_loader, chotso_auditor;
grant usage on schema sealing to chotso_auditor;
