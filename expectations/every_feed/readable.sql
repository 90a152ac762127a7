-- vi: Mọi ô của dòng phải đọc được đúng kiểu dữ liệu đã cam kết, kể cả các cột tiền.
-- en: Every cell of the row reads exactly as its contract type, money columns included.
select
    delivered.row_no,
    'unreadable: ' || coalesce(string_agg(cell.column_name, ', '), 'row') as detail
from {batch} as delivered
-- names only: what was found could be anything, a person's name too
left join lateral json_object_keys(delivered.unreadable::json) as cell (column_name) on true
where delivered.unreadable is not null
group by delivered.row_no
