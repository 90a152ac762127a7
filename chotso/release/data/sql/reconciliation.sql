select
    fact.agency_code,
    agency.agency_name,
    fact.month,
    fact.group_code,
    fact.category_code,
    category.category_name_vi,
    count(*) as row_count,
    sum(fact.allocated_vnd) as allocated_vnd,
    sum(fact.paid_vnd) as paid_vnd,
    sum(fact.difference_vnd) as difference_vnd
from {schema}.fct_reconciliation as fact
left join {schema}.dim_agency as agency on fact.agency_key = agency.agency_key
left join {schema}.dim_reconciliation_category as category
    on fact.category_code = category.category_code
group by
    fact.agency_code,
    agency.agency_name,
    fact.month,
    fact.group_code,
    fact.category_code,
    category.category_name_vi
