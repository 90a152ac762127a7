-- Keys of rows that stood in open quarantine at an instant.
select
    waiting.feed,
    case waiting.feed
        when 'payments' then array[waiting.row ->> 'so_chung_tu']
        when 'allocations' then array[waiting.row ->> 'so_chung_tu', waiting.row ->> 'so_dong']
        when 'participations' then array[waiting.row ->> 'ma_qua_trinh']
        when 'c12' then array[waiting.row ->> 'madvi', left(waiting.row ->> 'thang', 7)]
        else array[
            waiting.row ->> 'ma_doi_tuong', waiting.row ->> 'chi_tieu',
            waiting.row ->> 'hieu_luc_tu', waiting.row ->> 'so_quyet_dinh'
        ]
    end as row_key
from quarantine.row as waiting
where
    waiting.feed in ('payments', 'allocations', 'participations', 'c12', 'plans')
    and waiting.first_seen <= {as_known_at}
    and (waiting.resolved_at is null or waiting.resolved_at > {as_known_at})
