-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select
        madvi,
        thang
    from {batch} as delivered
    where
        madvi is not null
        and thang is not null
    group by madvi, thang
    having count(*) > 1
),

versions as (
    select
        delivered.madvi,
        delivered.thang,
        delivered.ma_co_quan,
        delivered.dk_bhxh,
        delivered.dk_bhyt,
        delivered.dk_bhtn,
        delivered.ps_bh,
        delivered.ps_yt,
        delivered.ps_tn,
        delivered.bst_bh,
        delivered.bst_yt,
        delivered.bst_tn,
        delivered.bsg_bh,
        delivered.bsg_yt,
        delivered.bsg_tn,
        delivered.dt_bhxh,
        delivered.dt_bhyt,
        delivered.dt_bhtn,
        delivered.ck_bhxh,
        delivered.ck_bhyt,
        delivered.ck_bhtn,
        delivered.dk_lai,
        delivered.lai1_ps,
        delivered.lai2_ps,
        delivered.lai3_ps,
        delivered.dt_lai,
        delivered.ck_lai,
        delivered.sld,
        delivered.sldtn,
        delivered.tql,
        delivered.tqlyt,
        delivered.tqltn,
        delivered.sothang
    from {batch} as delivered
    inner join repeated
        on
            delivered.madvi = repeated.madvi
            and delivered.thang = repeated.thang
    group by
        delivered.madvi,
        delivered.thang,
        delivered.ma_co_quan,
        delivered.dk_bhxh,
        delivered.dk_bhyt,
        delivered.dk_bhtn,
        delivered.ps_bh,
        delivered.ps_yt,
        delivered.ps_tn,
        delivered.bst_bh,
        delivered.bst_yt,
        delivered.bst_tn,
        delivered.bsg_bh,
        delivered.bsg_yt,
        delivered.bsg_tn,
        delivered.dt_bhxh,
        delivered.dt_bhyt,
        delivered.dt_bhtn,
        delivered.ck_bhxh,
        delivered.ck_bhyt,
        delivered.ck_bhtn,
        delivered.dk_lai,
        delivered.lai1_ps,
        delivered.lai2_ps,
        delivered.lai3_ps,
        delivered.dt_lai,
        delivered.ck_lai,
        delivered.sld,
        delivered.sldtn,
        delivered.tql,
        delivered.tqlyt,
        delivered.tqltn,
        delivered.sothang
),

differing as (
    select
        madvi,
        thang,
        count(*) as version_count
    from versions
    group by madvi, thang
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing
        on
            delivered.madvi = differing.madvi
            and delivered.thang = differing.thang
)

select
    row_no,
    detail
from final
