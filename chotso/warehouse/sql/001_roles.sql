-- Owners and groups. Logins are made by people; they are granted these groups and nothing more.
do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'chotso_owner', 'chotso_loader', 'chotso_reader', 'chotso_auditor', 'chotso_certifier'
    ]
    loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
    end loop;
end
$$;

create schema if not exists ops authorization chotso_owner;
create schema if not exists raw authorization chotso_owner;
create schema if not exists quarantine authorization chotso_owner;
create schema if not exists landing authorization chotso_loader;
create schema if not exists marts_build authorization chotso_loader;
create schema if not exists marts_store authorization chotso_loader;
create schema if not exists marts authorization chotso_loader;

comment on schema ops is 'Sổ vận hành — the run ledger';
comment on schema raw is 'Mọi phiên bản dòng dữ liệu — row versions on two time axes';
comment on schema quarantine is 'Các dòng bị cách ly — rows set aside, with their money';
comment on schema landing is 'Bảng tạm của từng lô — one unlogged table per batch';
comment on schema marts is 'Số liệu cho báo cáo — what BI tools read';

grant usage on schema ops, raw, quarantine to chotso_loader, chotso_auditor;
grant usage on schema marts to chotso_reader, chotso_auditor;
grant usage on schema marts_store to chotso_reader, chotso_auditor;
alter default privileges for role chotso_loader in schema marts, marts_store
grant select on tables to chotso_reader, chotso_auditor;
alter default privileges for role chotso_owner in schema ops, raw, quarantine
grant select on tables to chotso_auditor;
alter default privileges for role chotso_owner in schema ops, raw, quarantine
grant select on tables to chotso_loader;
