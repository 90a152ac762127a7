-- vi: Mọi số tiền của dòng nằm trong khoảng từ -10^15 đến 10^15 đồng.
-- en: Every amount of the row lies between -10^15 and 10^15 đồng.
select
    row_no,
    'out of range: ' || concat_ws(
        ', ',
        case when dk_bhxh not between -1000000000000000 and 1000000000000000 then 'dk_bhxh' end,
        case when dk_bhyt not between -1000000000000000 and 1000000000000000 then 'dk_bhyt' end,
        case when dk_bhtn not between -1000000000000000 and 1000000000000000 then 'dk_bhtn' end,
        case when ps_bh not between -1000000000000000 and 1000000000000000 then 'ps_bh' end,
        case when ps_yt not between -1000000000000000 and 1000000000000000 then 'ps_yt' end,
        case when ps_tn not between -1000000000000000 and 1000000000000000 then 'ps_tn' end,
        case when bst_bh not between -1000000000000000 and 1000000000000000 then 'bst_bh' end,
        case when bst_yt not between -1000000000000000 and 1000000000000000 then 'bst_yt' end,
        case when bst_tn not between -1000000000000000 and 1000000000000000 then 'bst_tn' end,
        case when bsg_bh not between -1000000000000000 and 1000000000000000 then 'bsg_bh' end,
        case when bsg_yt not between -1000000000000000 and 1000000000000000 then 'bsg_yt' end,
        case when bsg_tn not between -1000000000000000 and 1000000000000000 then 'bsg_tn' end,
        case when dt_bhxh not between -1000000000000000 and 1000000000000000 then 'dt_bhxh' end,
        case when dt_bhyt not between -1000000000000000 and 1000000000000000 then 'dt_bhyt' end,
        case when dt_bhtn not between -1000000000000000 and 1000000000000000 then 'dt_bhtn' end,
        case when ck_bhxh not between -1000000000000000 and 1000000000000000 then 'ck_bhxh' end,
        case when ck_bhyt not between -1000000000000000 and 1000000000000000 then 'ck_bhyt' end,
        case when ck_bhtn not between -1000000000000000 and 1000000000000000 then 'ck_bhtn' end,
        case when dk_lai not between -1000000000000000 and 1000000000000000 then 'dk_lai' end,
        case when lai1_ps not between -1000000000000000 and 1000000000000000 then 'lai1_ps' end,
        case when lai2_ps not between -1000000000000000 and 1000000000000000 then 'lai2_ps' end,
        case when lai3_ps not between -1000000000000000 and 1000000000000000 then 'lai3_ps' end,
        case when dt_lai not between -1000000000000000 and 1000000000000000 then 'dt_lai' end,
        case when ck_lai not between -1000000000000000 and 1000000000000000 then 'ck_lai' end,
        case when tql not between -1000000000000000 and 1000000000000000 then 'tql' end,
        case when tqlyt not between -1000000000000000 and 1000000000000000 then 'tqlyt' end,
        case when tqltn not between -1000000000000000 and 1000000000000000 then 'tqltn' end
    ) as detail
from {batch} as delivered
-- null is not between: it passes here and is judged by readable and required_present
where
    dk_bhxh not between -1000000000000000 and 1000000000000000
    or dk_bhyt not between -1000000000000000 and 1000000000000000
    or dk_bhtn not between -1000000000000000 and 1000000000000000
    or ps_bh not between -1000000000000000 and 1000000000000000
    or ps_yt not between -1000000000000000 and 1000000000000000
    or ps_tn not between -1000000000000000 and 1000000000000000
    or bst_bh not between -1000000000000000 and 1000000000000000
    or bst_yt not between -1000000000000000 and 1000000000000000
    or bst_tn not between -1000000000000000 and 1000000000000000
    or bsg_bh not between -1000000000000000 and 1000000000000000
    or bsg_yt not between -1000000000000000 and 1000000000000000
    or bsg_tn not between -1000000000000000 and 1000000000000000
    or dt_bhxh not between -1000000000000000 and 1000000000000000
    or dt_bhyt not between -1000000000000000 and 1000000000000000
    or dt_bhtn not between -1000000000000000 and 1000000000000000
    or ck_bhxh not between -1000000000000000 and 1000000000000000
    or ck_bhyt not between -1000000000000000 and 1000000000000000
    or ck_bhtn not between -1000000000000000 and 1000000000000000
    or dk_lai not between -1000000000000000 and 1000000000000000
    or lai1_ps not between -1000000000000000 and 1000000000000000
    or lai2_ps not between -1000000000000000 and 1000000000000000
    or lai3_ps not between -1000000000000000 and 1000000000000000
    or dt_lai not between -1000000000000000 and 1000000000000000
    or ck_lai not between -1000000000000000 and 1000000000000000
    or tql not between -1000000000000000 and 1000000000000000
    or tqlyt not between -1000000000000000 and 1000000000000000
    or tqltn not between -1000000000000000 and 1000000000000000
