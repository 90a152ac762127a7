with final as (
    select
        categories.sort_order,
        categories.category_code,
        categories.category_name_vi,
        categories.category_name_en,
        categories.meaning_vi,
        categories.meaning_en
    from (
        values
        (
            1, 'outside_accounts', 'Ngoài sổ theo dõi', 'Outside the accounts',
            'Tiền BHXH tự nguyện: không có tài khoản nào trong sổ C12 để đối chiếu',
            'Voluntary insurance: no C12 account to compare it with'
        ),
        (
            2, 'matched', 'Khớp', 'Matched',
            'Tiền gốc phân bổ trên sổ C12 bằng tiền gốc đã thu',
            'Principal allocated on the C12 sheet equals principal paid'
        ),
        (
            3, 'quarantined', 'Có dữ liệu đang bị giữ lại', 'Set aside',
            'Có chứng từ, dòng phân bổ hoặc tài khoản của đơn vị đang bị giữ lại, có thể là nguyên '
            || 'nhân chênh lệch',
            'A document, line or account of the employer is set aside and could explain the '
            || 'difference'
        ),
        (
            4, 'missing_account', 'Thiếu tài khoản', 'Missing account',
            'Có tiền thu, chưa biết tài khoản C12 nào của đơn vị trong tháng',
            'Paid, and no C12 account of the employer and month is known'
        ),
        (
            5, 'timing', 'Lệch thời điểm', 'Timing',
            'Khớp nếu bỏ chứng từ nhập sau bản kết xuất, hoặc được tháng liền kề bù đúng bằng',
            'Equal without documents recorded after the export, or taken back exactly by the month '
            || 'before or after'
        ),
        (
            6, 'missing_payment', 'Thiếu chứng từ', 'Missing payment',
            'Sổ C12 có phân bổ, không có khoản thu nào',
            'Allocated on the C12 sheet, nothing paid'
        ),
        (
            7, 'adjusted', 'Do điều chỉnh', 'Adjusted',
            'Chênh lệch đúng bằng điều chỉnh tăng trừ điều chỉnh giảm của tháng, không kể dấu',
            'The difference is the month''s adjustments up less those down, whatever the sign'
        ),
        (
            8, 'over', 'Thu nhiều hơn sổ', 'Over',
            'Đã thu nhiều hơn số phân bổ trên sổ C12, chưa rõ nguyên nhân',
            'Paid more than the C12 sheet allocates, for no reason above'
        ),
        (
            9, 'under', 'Thu ít hơn sổ', 'Under',
            'Đã thu ít hơn số phân bổ trên sổ C12, chưa rõ nguyên nhân',
            'Paid less than the C12 sheet allocates, for no reason above'
        )
    ) as categories (
        sort_order, category_code, category_name_vi, category_name_en, meaning_vi, meaning_en
    )
)

select * from final
