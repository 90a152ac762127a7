-- A late change as it is looked at before it enters the register.
create type sealing.late_fact as (
    feed text,
    key jsonb,
    agency_code text,
    metric_code text,
    month date,
    amount numeric,
    base_amount numeric
);
comment on type sealing.late_fact is
'Một dòng đến sau cần đối chiếu — a late change to be compared with raw';
alter type sealing.late_fact owner to chotso_owner;
