with at_cutoff as (
    select distinct
        fact.agency_code,
        agency.agency_name
    from {schema}.fct_monthly_attainment as fact
    inner join {schema}.dim_agency as agency on fact.agency_key = agency.agency_key
    where fact.month = {cutoff_month}
)

select
    at_cutoff.agency_code,
    at_cutoff.agency_name,
    stake.month,
    stake.kind_code,
    stake.at_stake_vnd
from {schema}.int_money_at_stake as stake
inner join at_cutoff on stake.agency_code = at_cutoff.agency_code
where stake.month = {cutoff_month}
