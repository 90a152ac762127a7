{# The spells that were known at an instant, cleaned. One query without CTEs: PostgreSQL merges it into
   a query that reads the view, which then finds single persons' rows by their index. #}
{% macro cleaned_participations(condition) -%}
select
    ma_qua_trinh as spell_id,
    person_pseudonym as person_id,
    case loai
        when 'BHXHBB' then 'si_compulsory'
        when 'BHXHTN' then 'si_voluntary'
        when 'BHTN' then 'ui'
        when 'BHYT' then 'hi'
    end as scheme_code,
    nhom_bhyt as health_group_number,
    ma_don_vi as employer_code,
    ma_co_quan as agency_code,
    tu_thang as from_month,
    den_thang as to_month,
    trang_thai = 'HIEU_LUC' as is_valid,
    ngay_nhap as recorded_at,
    batch_id,
    known_from as known_at
from {{ source('raw', 'participations') }}
where {{ condition }}
{%- endmacro %}
