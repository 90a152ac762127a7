-- The late changes that are allowed: differences of an item's versions in `raw` at two instants.
set local check_function_bodies = off;

create or replace function sealing.late_lines(
    known timestamptz, cutoff timestamptz, document text, number integer,
    of_agency text, of_month date, of_metric text
) returns table (principal numeric, with_interest numeric)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(sum(line.tien_goc::numeric), 0),
        coalesce(sum(line.tien_goc::numeric + coalesce(line.tien_lai, 0)), 0)
    from raw.payments as document_row
    inner join raw.allocations as line on line.so_chung_tu = document_row.so_chung_tu
    where document_row.so_chung_tu = late_lines.document and line.so_dong = late_lines.number
        and document_row.known_from <= known
        and (document_row.known_to is null or document_row.known_to > known)
        and line.known_from <= known and (line.known_to is null or line.known_to > known)
        and document_row.trang_thai = 'HIEU_LUC' and document_row.ngay_ghi_co < cutoff
        and document_row.ma_co_quan = of_agency
        and date_trunc('month', document_row.ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')
        = of_month::timestamp
        and exists (
            select from ops.configuration, jsonb_array_elements(content -> 'metrics') as metric
            where name = 'metrics' and metric ->> 'code' = of_metric
                and metric -> 'funds' ? line.quy
        )
$$;
comment on function sealing.late_lines is
'Số tiền của một dòng phân bổ tại một thời điểm — what a line adds to a figure, as known';

-- Arrears are `closing` if it is positive. `leeway` is what may be added back at the cutoff.
create or replace function sealing.late_account(
    known timestamptz, cutoff timestamptz, employer text, of_month date, of_group text,
    of_agency text
) returns table (arrears numeric, receivable numeric, leeway numeric)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(sum(greatest(coalesce(side.closing, 0), 0)), 0),
        coalesce(sum(
            coalesce(side.payable, 0)::numeric + coalesce(side.up, 0) - coalesce(side.down, 0)
        ), 0),
        coalesce((
            select sum(abs(line.tien_goc::numeric))
            from raw.payments as document
            inner join raw.allocations as line on line.so_chung_tu = document.so_chung_tu
            where document.ma_don_vi = employer and document.ngay_ghi_co >= cutoff
                and document.known_from <= known and line.known_from <= known
                and of_month::timestamp
                = date_trunc('month', document.ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')
        ), 0)
    from raw.c12 as account
    cross join lateral (
        values
        ('si', ps_bh, bst_bh, bsg_bh, ck_bhxh),
        ('ui', ps_tn, bst_tn, bsg_tn, ck_bhtn),
        ('hi', ps_yt, bst_yt, bsg_yt, ck_bhyt)
    ) as side (group_code, payable, up, down, closing)
    where account.madvi = employer and account.thang = of_month and side.group_code = of_group
        and account.ma_co_quan = of_agency
        and account.known_from <= known and (account.known_to is null or account.known_to > known)
$$;
comment on function sealing.late_account is
'Nợ và phải thu của một sổ tại một thời điểm — what an account owes, as known';

create or replace function sealing.late_plan_limit(
    until_instant timestamptz, of_agency text, of_metric text
) returns numeric
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select max(abs(
        case when plan.chi_tieu like 'NO~_%' escape '~' then plan.gia_tri * 0.01
            else plan.gia_tri end
    ))
    from raw.plans as plan
    inner join ops.configuration as registered on registered.name = 'metrics'
    cross join lateral jsonb_array_elements(registered.content -> 'metrics') as metric
    where metric ->> 'code' = of_metric and plan.chi_tieu = metric ->> 'plan_code'
        and plan.ma_doi_tuong = of_agency and plan.known_from <= until_instant
$$;
comment on function sealing.late_plan_limit is
'Kế hoạch lớn nhất từng có — the largest plan that an agency ever had for a metric';

create or replace function sealing.is_late_fact(
    change sealing.late_fact, cutoff timestamptz, reached timestamptz, until_instant timestamptz
) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    before record;
    after record;
begin
    case change.feed
        when 'allocations' then
            select * into before from sealing.late_lines(reached, cutoff, change.key ->> 0,
                (change.key ->> 1)::integer, change.agency_code, change.month,
                change.metric_code);
            select * into after from sealing.late_lines(until_instant, cutoff, change.key ->> 0,
                (change.key ->> 1)::integer, change.agency_code, change.month,
                change.metric_code);
            return change.base_amount = 0 and change.amount in (
                after.principal - before.principal, after.with_interest - before.with_interest
            );
        when 'c12' then
            select * into before from sealing.late_account(reached, cutoff, change.key ->> 0,
                change.month, change.key ->> 2, change.agency_code);
            select * into after from sealing.late_account(until_instant, cutoff,
                change.key ->> 0, change.month, change.key ->> 2, change.agency_code);
            return (change.key ->> 1)::date = change.month
                and change.base_amount = after.receivable - before.receivable
                and abs(change.amount - (after.arrears - before.arrears))
                <= before.leeway + after.leeway;
        when 'participations' then
            return change.base_amount = 0 and change.amount in (-1, 0, 1) and exists (
                select from raw.participations as spell
                where spell.ma_qua_trinh = (change.key ->> 0)::bigint
                    and spell.ma_co_quan = change.agency_code
                    and spell.known_from <= until_instant
                    and (spell.known_to is null or spell.known_to > reached)
            );
        when 'plans' then
            return change.base_amount = 0
                and abs(change.amount) <= 2 * sealing.late_plan_limit(
                    until_instant, change.agency_code, change.metric_code
                )
                and exists (
                    select from raw.plans as plan
                    where plan.so_quyet_dinh = change.key ->> 0
                        and plan.hieu_luc_tu = (change.key ->> 1)::date
                        and plan.ma_doi_tuong = change.key ->> 2
                        and plan.known_from <= until_instant
                );
        else
            return false;
    end case;
end
$$;
comment on function sealing.is_late_fact is
'Dòng đến sau có theo dữ liệu gốc không — whether a late change follows from raw';

create or replace function sealing.late_changes(changes jsonb)
returns table (
    feed text, item_key text, agency_code text, metric_code text, unit_code text,
    month date, last_month date, amount numeric, base_amount numeric,
    known_at timestamptz, batch_id text, file_name text
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select * from jsonb_to_recordset(changes) as change (
        feed text, item_key text, agency_code text, metric_code text, unit_code text,
        month date, last_month date, amount numeric, base_amount numeric,
        known_at timestamptz, batch_id text, file_name text
    )
$$;
comment on function sealing.late_changes is
'Các dòng đến sau được gửi — the late changes that were handed over, as rows';

create or replace function sealing.late_batch_problem(until_instant timestamptz, changes jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select format('%s %s names no batch of its instant', given.feed, given.item_key)
    from sealing.late_changes(changes) as given
    where given.known_at is null or given.known_at > until_instant or case
        when given.batch_id is null
            then given.known_at <> until_instant or given.file_name is not null
        else not exists (
            select from ops.batch as batch
            where batch.batch_id = given.batch_id and batch.status = 'published'
                and batch.known_at = given.known_at
                and coalesce(batch.delivery_name, batch.landing_path)
                is not distinct from given.file_name
        )
    end
    limit 1
$$;
comment on function sealing.late_batch_problem is
'Dòng đến sau không có lô — a late change of no published batch; null: none';

create or replace function sealing.late_figure_problem(of_release text, changes jsonb) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with shown as (
        select min(month) as first_month, max(month) as last_month
        from frozen.attainment where release_id = of_release
    )

    select format('%s %s is of no figure of the release', given.feed, given.item_key)
    from sealing.late_changes(changes) as given, shown
    where given.month < shown.first_month
        or given.last_month > date_trunc('year', shown.last_month) + interval '1 year'
        or given.feed in ('allocations', 'c12') and given.last_month <> given.month
        or not exists (
            select from frozen.attainment as sealed
            where sealed.release_id = of_release
                and sealed.metric_code = given.metric_code
                and case
                    when given.feed = 'plans' then sealed.unit_code = given.unit_code
                    when sealed.unit_code = 'person' then given.unit_code = 'person'
                    else given.unit_code = 'vnd'
                end
        )
    limit 1
$$;
comment on function sealing.late_figure_problem is
'Dòng đến sau không thuộc số liệu nào — a late change of no figure of the release; null: none';

create or replace function sealing.late_amount_problem(
    of_release text, reached timestamptz, until_instant timestamptz, changes jsonb
) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    -- an item may have changed for two reasons, so its changes are added up
    with by_item as (
        select row(
            feed, item_key::jsonb, agency_code, metric_code, month, sum(amount), sum(base_amount)
        )::sealing.late_fact as fact
        from sealing.late_changes(changes)
        group by feed, item_key, agency_code, metric_code, month
    )

    select format(
        '%s %s: %s of %s, %s does not follow from what was published', (fact).feed,
        (fact).key, (fact).amount, (fact).metric_code, (fact).agency_code
    )
    from by_item
    inner join frozen.release as release on release.release_id = of_release
    where not sealing.is_late_fact(fact, release.cutoff_at, reached, until_instant)
    limit 1
$$;
comment on function sealing.late_amount_problem is
'Dòng đến sau sai số tiền — a late change whose amount does not follow from raw; null: none';

create or replace function sealing.late_problem(
    of_release text, reached timestamptz, until_instant timestamptz, changes jsonb
) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        sealing.late_batch_problem(until_instant, changes),
        sealing.late_figure_problem(of_release, changes),
        sealing.late_amount_problem(of_release, reached, until_instant, changes)
    )
$$;
comment on function sealing.late_problem is
'Dòng đến sau không có trong dữ liệu gốc — a late change that raw does not know; null: none';
set local check_function_bodies = on;

do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'sealing'::regnamespace
            and (proname like 'late%' or proname = 'is_late_fact')
    loop
        execute format('alter function %s owner to chotso_owner', routine);
        execute format('revoke execute on function %s from public', routine);
    end loop;
end
$$;
