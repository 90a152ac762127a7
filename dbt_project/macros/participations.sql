{# The spells that were known at an instant, cleaned: the queries after the one that reads them. #}
{% macro cleaned_participations(condition) -%}
known as (
    select * from source
    where {{ condition }}
),

cleaned as (
    select
        ma_qua_trinh as spell_id,
        person_pseudonym as person_id,
        loai as source_scheme_code,
        nhom_bhyt as health_group_number,
        ma_don_vi as employer_code,
        ma_co_quan as agency_code,
        tu_thang as from_month,
        den_thang as to_month,
        trang_thai = 'HIEU_LUC' as is_valid,
        ngay_nhap as recorded_at,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        spell_id,
        person_id,
        case source_scheme_code
            when 'BHXHBB' then 'si_compulsory'
            when 'BHXHTN' then 'si_voluntary'
            when 'BHTN' then 'ui'
            when 'BHYT' then 'hi'
        end as scheme_code,
        health_group_number,
        employer_code,
        agency_code,
        from_month,
        to_month,
        is_valid,
        recorded_at,
        batch_id,
        known_at
    from cleaned
)

select * from final
{%- endmacro %}
