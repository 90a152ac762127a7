-- Computes figures again from `raw`: collection, arrears, the plan in force. It does not use the
-- build, which the loader writes. The tables of `raw` are made after this file is applied.
set local check_function_bodies = off;

create or replace function sealing.agency_members(known timestamptz)
returns table (agency_code text, member_code text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with recursive agencies as (
        select ma_co_quan as code, nullif(ma_cap_tren, '') as parent, cap = 1 as is_province
        from raw.agencies
        where known_from <= known and (known_to is null or known_to > known)
    ),

    chains as (
        select code as member, code as ancestor from agencies
        union
        select chains.member, agencies.parent
        from chains
        inner join agencies on chains.ancestor = agencies.code
        where agencies.parent is not null
    )

    select chains.ancestor, chains.member
    from chains
    inner join agencies on chains.ancestor = agencies.code
    where agencies.is_province or chains.member = chains.ancestor
$$;
comment on function sealing.agency_members is
'Cơ quan và những cơ quan được cộng vào — whose figures an agency adds up';

create or replace function sealing.collected(known timestamptz, cutoff timestamptz)
returns table (agency_code text, month date, metric_code text, collected_vnd numeric)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with lines as (
        select
            document.ma_co_quan as member_code,
            date_trunc('month', document.ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')::date
                as month,
            line.quy as fund_code,
            sum(line.tien_goc::numeric) as principal_vnd,
            sum(line.tien_lai::numeric) as interest_vnd
        from raw.payments as document
        inner join raw.allocations as line on line.so_chung_tu = document.so_chung_tu
        where document.known_from <= known
            and (document.known_to is null or document.known_to > known)
            and line.known_from <= known and (line.known_to is null or line.known_to > known)
            and document.trang_thai = 'HIEU_LUC' and document.ngay_ghi_co < cutoff
        group by 1, 2, 3
    ),

    metric_funds as (
        select metric ->> 'code' as metric_code, fund as fund_code
        from ops.configuration, jsonb_array_elements(content -> 'metrics') as metric,
            jsonb_array_elements_text(metric -> 'funds') as fund
        where name = 'metrics'
    ),

    interest as (
        select (entry ->> 'from') || '-01' as from_month, (entry ->> 'value')::boolean as counts
        from ops.configuration, jsonb_array_elements(content -> 'is_interest_collected') as entry
        where name = 'measures'
    )

    select
        members.agency_code,
        lines.month,
        metric_funds.metric_code,
        sum(coalesce(lines.principal_vnd, 0) + case
            when (
                select interest.counts from interest
                where interest.from_month::date <= lines.month
                order by interest.from_month desc limit 1
            ) then coalesce(lines.interest_vnd, 0)
            else 0
        end)
    from lines
    inner join sealing.agency_members(known) as members on members.member_code = lines.member_code
    inner join metric_funds on metric_funds.fund_code = lines.fund_code
    group by 1, 2, 3
$$;
comment on function sealing.collected is
'Số thu tính lại từ dữ liệu gốc — collection by agency, month and metric, from raw';

-- Credits after the cutoff may have to be added back to a closing balance: `taken` is the smallest
-- possible change, `given` the largest.
create or replace function sealing.accounts(known timestamptz, cutoff timestamptz)
returns table (
    employer_code text, member_code text, month date, group_code text, closing numeric,
    payable numeric, receivable numeric, taken numeric, given numeric
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with funds as (
        select fund ->> 'code' as fund_code, fund ->> 'group' as group_code
        from ops.configuration, jsonb_array_elements(content -> 'funds') as fund
        where name = 'metrics'
    ),

    after_cutoff as (
        select
            document.ma_don_vi as employer_code,
            date_trunc('month', document.ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')::date
                as month,
            funds.group_code,
            sum(line.tien_goc) filter (where line.tien_goc < 0) as taken,
            sum(line.tien_goc) filter (where line.tien_goc > 0) as given
        from raw.payments as document
        inner join raw.allocations as line on line.so_chung_tu = document.so_chung_tu
        inner join funds on funds.fund_code = line.quy
        where document.known_from <= known
            and (document.known_to is null or document.known_to > known)
            and line.known_from <= known and (line.known_to is null or line.known_to > known)
            and document.trang_thai = 'HIEU_LUC' and document.ngay_ghi_co >= cutoff
            and document.ngay_ghi_co < (
                date_trunc('month', cutoff at time zone 'Asia/Ho_Chi_Minh') + interval '1 month'
            ) at time zone 'Asia/Ho_Chi_Minh'
        group by 1, 2, 3
    )

    select
        account.madvi,
        account.ma_co_quan,
        account.thang,
        side.group_code,
        coalesce(side.closing, 0)::numeric,
        coalesce(side.payable, 0)::numeric,
        coalesce(side.payable, 0)::numeric + coalesce(side.up, 0) - coalesce(side.down, 0),
        coalesce(after_cutoff.taken, 0),
        coalesce(after_cutoff.given, 0)
    from raw.c12 as account
    cross join lateral (
        values
        ('si', ps_bh, bst_bh, bsg_bh, ck_bhxh),
        ('ui', ps_tn, bst_tn, bsg_tn, ck_bhtn),
        ('hi', ps_yt, bst_yt, bsg_yt, ck_bhyt)
    ) as side (group_code, payable, up, down, closing)
    left join after_cutoff
        on after_cutoff.employer_code = account.madvi and after_cutoff.month = account.thang
        and after_cutoff.group_code = side.group_code
    where account.known_from <= known
        and (account.known_to is null or account.known_to > known)
$$;
comment on function sealing.accounts is
'Sổ C12 của từng đơn vị, lấy từ dữ liệu gốc — accounts by employer, month and fund group, from raw';

create or replace function sealing.owed(known timestamptz, cutoff timestamptz)
returns table (
    agency_code text, month date, group_code text, is_interest_bearing boolean,
    smallest numeric, largest numeric, receivable numeric
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with by_member as (
        select
            member_code, month, group_code, is_interest_bearing,
            sum(greatest(
                closing + taken - case when is_interest_bearing then payable else 0 end, 0
            )) as smallest,
            sum(greatest(
                closing + given - case when is_interest_bearing then payable else 0 end, 0
            )) as largest,
            sum(receivable) as receivable
        from sealing.accounts(known, cutoff)
        cross join (values (false), (true)) as kinds (is_interest_bearing)
        group by 1, 2, 3, 4
    )

    select
        members.agency_code, by_member.month, groups.group_code, by_member.is_interest_bearing,
        sum(by_member.smallest), sum(by_member.largest), sum(by_member.receivable)
    from by_member
    inner join sealing.agency_members(known) as members
        on members.member_code = by_member.member_code
    cross join lateral (values (by_member.group_code), ('total')) as groups (group_code)
    group by 1, 2, 3, 4
$$;
comment on function sealing.owed is
'Nợ và số phải thu tính lại từ dữ liệu gốc — arrears and receivable by agency and month, from raw';

-- The year's first plan, the plan in force in a month, and the last plan. In force is the newest
-- decision that took effect by the month's end and by the cutoff.
drop function if exists sealing.plan_in_force(timestamptz, timestamptz, text, date, text);
create or replace function sealing.plans_of(
    known timestamptz, cutoff timestamptz, of_agency text, of_month date, of_metric text
) returns table (original numeric, in_force numeric, final numeric)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with revisions as (
        select
            trim_scale(
                case when plan.chi_tieu like 'NO~_%' escape '~' then plan.gia_tri * 0.01
                    else plan.gia_tri end
            ) as value,
            plan.hieu_luc_tu <= least(
                (of_month + interval '1 month' - interval '1 day')::date,
                (cutoff at time zone 'Asia/Ho_Chi_Minh')::date
            ) as has_begun,
            row_number() over (
                order by plan.hieu_luc_tu, plan.ngay_ky, plan.so_quyet_dinh collate "C"
            ) as number
        from raw.plans as plan
        inner join ops.configuration as registered on registered.name = 'metrics'
        cross join lateral jsonb_array_elements(registered.content -> 'metrics') as metric
        where metric ->> 'code' = of_metric and plan.chi_tieu = metric ->> 'plan_code'
            and plan.known_from <= known and (plan.known_to is null or plan.known_to > known)
            and plan.loai_doi_tuong = 'CO_QUAN' and plan.ma_doi_tuong = of_agency
            and plan.nam = extract(year from of_month)
    )

    select
        (select value from revisions order by number limit 1),
        (select value from revisions where has_begun order by number desc limit 1),
        (select value from revisions order by number desc limit 1)
$$;
comment on function sealing.plans_of is
'Kế hoạch đầu năm, đang có hiệu lực và cuối cùng, lấy từ dữ liệu gốc — plans of a month, from raw';

create or replace function sealing.exact_ratio(numerator numeric, denominator numeric)
returns numeric
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select case when denominator <> 0 then
        sign(numerator) * sign(denominator) * div(
            2 * 1000000000::numeric * abs(numerator) + abs(denominator), 2 * abs(denominator)
        ) * 0.000000001
    end
$$;
comment on function sealing.exact_ratio is
'Tỷ lệ làm tròn một lần đến 9 chữ số — a ratio, rounded once to 9 decimals';
set local check_function_bodies = on;
