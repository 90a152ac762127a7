-- vi: Ngày hết hiệu lực của cơ quan không được trước ngày bắt đầu hiệu lực.
-- en: The agency's last day in force is not before its first.
select
    row_no,
    hieu_luc_den || ' is before ' || hieu_luc_tu as detail
from {batch} as delivered
-- an open end, or a beginning that nobody recorded, is in order
where
    hieu_luc_tu is not null
    and hieu_luc_den is not null
    and hieu_luc_den < hieu_luc_tu
