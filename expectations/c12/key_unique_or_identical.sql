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
        madvi,
        thang,
        ma_co_quan,
        dk_bhxh,
        dk_bhyt,
        dk_bhtn,
        ps_bh,
        ps_yt,
        ps_tn,
        bst_bh,
        bst_yt,
        bst_tn,
        bsg_bh,
        bsg_yt,
        bsg_tn,
        dt_bhxh,
        dt_bhyt,
        dt_bhtn,
        ck_bhxh,
        ck_bhyt,
        ck_bhtn,
        dk_lai,
        lai1_ps,
        lai2_ps,
        lai3_ps,
        dt_lai,
        ck_lai,
        sld,
        sldtn,
        tql,
        tqlyt,
        tqltn,
        sothang
    from {batch} as delivered
    inner join repeated using (madvi, thang)
    group by
        madvi,
        thang,
        ma_co_quan,
        dk_bhxh,
        dk_bhyt,
        dk_bhtn,
        ps_bh,
        ps_yt,
        ps_tn,
        bst_bh,
        bst_yt,
        bst_tn,
        bsg_bh,
        bsg_yt,
        bsg_tn,
        dt_bhxh,
        dt_bhyt,
        dt_bhtn,
        ck_bhxh,
        ck_bhyt,
        ck_bhtn,
        dk_lai,
        lai1_ps,
        lai2_ps,
        lai3_ps,
        dt_lai,
        ck_lai,
        sld,
        sldtn,
        tql,
        tqlyt,
        tqltn,
        sothang
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
    inner join differing using (madvi, thang)
)

select
    row_no,
    detail
from final
