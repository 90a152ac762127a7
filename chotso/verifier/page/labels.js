// --- Codes of the data files, by column. A code that is not here is shown as it stands.

const LABELS = {
  kind: {
    original: ["Bản chốt chính thức", "Original"],
    corrigendum: ["Bản đính chính", "Corrigendum"],
    rehearsal: ["Bản diễn tập – không có giá trị", "Rehearsal – without effect"],
  },
  group_code: { si: ["BHXH", "Social insurance"], ui: ["BHTN", "Unemployment insurance"], hi: ["BHYT", "Health insurance"],
    total: ["Chung", "Total"] },
  variant_code: {
    total_receivable: ["Nợ ÷ phải thu lũy kế", "Arrears ÷ receivable to date"],
    total_plan: ["Nợ ÷ kế hoạch năm", "Arrears ÷ year's plan"],
    interest_bearing_receivable: ["Nợ tính lãi ÷ phải thu lũy kế", "Interest-bearing ÷ receivable to date"],
    interest_bearing_plan: ["Nợ tính lãi ÷ kế hoạch năm", "Interest-bearing ÷ year's plan"],
  },
  plan_status_code: { in_force: ["Đang có hiệu lực", "In force"], zero: ["Kế hoạch bằng 0", "Plan of 0"],
    not_yet: ["Chưa có hiệu lực", "Not yet in force"], none: ["Chưa giao", "None"] },
  participant_type: { agency: ["Cơ quan", "Agency"], officer: ["Cán bộ thu", "Officer"] },
  employer_status_code: { active: ["Đang hoạt động", "Active"], suspended: ["Tạm dừng", "Suspended"],
    dissolved: ["Giải thể", "Dissolved"], bankrupt: ["Phá sản", "Bankrupt"] },
  debt_class_code: { none: ["Không nợ", "None"], late: ["Chậm đóng", "Late"], overdue: ["Nợ quá hạn", "Overdue"],
    long_overdue: ["Nợ kéo dài", "Long overdue"], unknown_age: ["Nợ chưa rõ số tháng", "Of unknown age"],
    hard_to_collect: ["Nợ khó thu", "Hard to collect"] },
  reason_code: { late_recording: ["Ghi nhận muộn", "Recorded late"],
    correction: ["Điều chỉnh", "Corrected, moved or restated"],
    voiding: ["Hủy, hoặc rút lại việc hủy", "Voided, or its voiding withdrawn"],
    plan_decision: ["Quyết định giao kế hoạch", "A decision on the plan"],
    quarantine_release: ["Được đưa ra khỏi cách ly", "Released from quarantine"] },
  change_code: { changed: ["Đổi", "Changed"], added: ["Thêm", "Added"], removed: ["Bỏ", "Removed"] },
  result_code: { met: ["Đạt", "Met"], leader: ["Dẫn đầu", "Leader"], above_target: ["Vượt chỉ tiêu", "Above target"],
    below_target: ["Dưới chỉ tiêu", "Below target"], not_considered: ["Không xét", "Not considered"] },
  kind_code: { collection: ["Số thu", "Collection"], arrears: ["Số nợ", "Arrears"], plan: ["Kế hoạch thu", "Plan"] },
  object_type_code: { agency: ["Cơ quan", "Agency"], officer: ["Cán bộ thu", "Officer"] },
  is_met: { true: ["Đạt", "Met"], false: ["Không đạt", "Not met"] },
  is_considered: { true: ["Xét", "Considered"], false: ["Không xét", "Not considered"] },
};
const YES_OR_NO = { true: ["Có", "Yes"], false: ["Không", "No"] };

function labelOf(column, code) {
  const found = LABELS[column] ?? (/^(is|has)_/.test(column) ? YES_OR_NO : {});
  return Object.hasOwn(found, code) ? either(found[code]) : code;
}
