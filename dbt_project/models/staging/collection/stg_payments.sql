with source as (
    select * from {{ source('raw', 'payments') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        so_chung_tu as document_code,
        ma_don_vi as employer_code,
        ma_co_quan as agency_code,
        hinh_thuc as payment_method_code,
        ngay_ghi_co as credited_at,
        so_tien as document_vnd,
        trang_thai = 'HIEU_LUC' as is_valid,
        ngay_nhap as recorded_at,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        document_code,
        employer_code,
        agency_code,
        payment_method_code,
        credited_at,
        {{ local_date('credited_at') }} as credited_date,
        {{ local_month('credited_at') }} as credited_month,
        document_vnd,
        is_valid,
        recorded_at,
        batch_id,
        known_at
    from cleaned
)

select * from final
