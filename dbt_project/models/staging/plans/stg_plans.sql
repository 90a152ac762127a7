with source as (
    select * from {{ source('raw', 'plans') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        so_quyet_dinh as decision_code,
        ngay_ky as signed_date,
        don_vi_giao as assigner_name,
        nam as plan_year,
        case loai_doi_tuong
            when 'CO_QUAN' then 'agency'
            when 'CAN_BO' then 'officer'
        end as object_type_code,
        ma_doi_tuong as object_code,
        {{ metric_of_plan('chi_tieu') }} as metric_code,
        -- per cents become fractions; trailing zeros are removed
        trim_scale(
            case when chi_tieu like 'NO~_%' escape '~' then gia_tri * 0.01 else gia_tri end
        ) as plan_value,
        hieu_luc_tu as effective_from_date,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        decision_code,
        signed_date,
        assigner_name,
        plan_year,
        object_type_code,
        object_code,
        metric_code,
        plan_value,
        effective_from_date,
        batch_id,
        known_at
    from cleaned
)

select * from final
