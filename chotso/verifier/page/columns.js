// --- Which columns of which data file are shown, how, and under what name.
// A column is [name, type, Vietnamese, English]; of a pair of names the second is the English one.

const AGENCY = ["agency_name", "text", "Cơ quan", "Agency"];
const MONTH = ["month", "month", "Tháng", "Month"];
const METRIC = ["metric_name_vi metric_name_en", "text", "Chỉ tiêu", "Metric"];
const FIGURES = [
  ["actual_to_date", "figure", "Thực hiện lũy kế", "To date"],
  ["plan_in_force", "plan", "Kế hoạch", "Plan"],
  ["attainment_ratio", "attainment", "Tỷ lệ", "Share"],
  ["is_met", "met", "Kết quả", "Result"],
];

const TABLES = {
  attainment: {
    title: ["Thực hiện so với kế hoạch", "Attainment"],
    filters: ["month", "agency_name", "metric_name_vi metric_name_en", "is_met"],
    latest: "month",
    columns: [AGENCY, MONTH, METRIC, ...FIGURES, ["quarantined_to_date", "money", "Tiền cách ly (đồng)", "Set aside (đồng)"]],
  },
  arrears_ratio: {
    title: ["Tỷ lệ nợ", "Arrears ratios"],
    filters: ["month", "agency_name", "group_code", "variant_code", "is_official", "is_met"],
    latest: "month",
    start: { is_official: "true" },
    columns: [AGENCY, MONTH, ["group_code", "code", "Quỹ", "Fund"], ["variant_code", "code", "Cách tính", "Variant"],
      ["numerator", "money", "Nợ (đồng)", "Arrears (đồng)"], ["denominator", "money", "Mẫu số (đồng)", "Divided by (đồng)"],
      ["ratio", "ratio", "Tỷ lệ", "Ratio"], ["is_met", "met", "Kết quả", "Result"],
      ["is_official", "code", "Chính thức", "Official"]],
  },
  employer_arrears: {
    title: ["Nợ theo đơn vị", "Arrears by employer"],
    filters: ["month", "agency_name", "debt_class_code", "employer_status_code"],
    latest: "month",
    sort: { column: "arrears_vnd", descending: true },
    columns: [["employer_code", "text", "Mã đơn vị", "Code"], ["employer_name", "employer", "Đơn vị", "Employer"], AGENCY, MONTH,
      ["arrears_vnd", "money", "Nợ (đồng)", "Arrears (đồng)"],
      ["interest_bearing_arrears_vnd", "money", "Nợ tính lãi (đồng)", "Interest-bearing (đồng)"],
      ["months_owed_count", "decimal", "Số tháng nợ", "Months owed"],
      ["debt_class_code", "code", "Loại nợ", "Class"], ["employer_status_code", "code", "Tình trạng", "Status"]],
  },
  ranking: {
    title: ["Xếp hạng", "Ranking"],
    filters: ["participant_type", "is_considered", "agency_name"],
    sort: { column: "rank_number", descending: false },
    wraps: true,
    columns: [["rank_number", "rank", "Hạng", "Rank"], ["participant_type", "code", "Đối tượng", "Kind"],
      ["participant_name", "text", "Tên", "Name"], ["agency_name", "text", "Cơ quan", "Agency"],
      ["total_points", "points", "Điểm", "Points"],
      ["explanation_vi explanation_en", "sentence", "Giải thích", "Explanation"]],
  },
  ranking_points: {
    title: ["Điểm từng chỉ tiêu", "Points by metric"],
    filters: ["participant_type", "participant_code", "metric_name_vi", "result_code"],
    wraps: true,
    columns: [["participant_code", "text", "Mã", "Code"], ["metric_name_vi", "text", "Chỉ tiêu", "Metric"],
      ["attainment_ratio", "ratio", "Tỷ lệ", "Share"], ["weight_points", "points", "Điểm tối đa", "Weight"],
      ["points", "points", "Điểm", "Points"], ["result_code", "code", "Kết quả", "Result"],
      ["explanation_vi explanation_en", "sentence", "Giải thích", "Explanation"]],
  },
  late_changes: {
    title: ["Sổ phát sinh muộn", "Register of what came late"],
    filters: ["reason_code", "agency_code", "metric_code", "feed"],
    columns: [["agency_code", "agency", "Cơ quan", "Agency"], ["metric_code", "metric", "Chỉ tiêu", "Metric"],
      ["reason_code", "code", "Vì sao", "Reason"], ["month", "month", "Từ tháng", "From"], ["last_month", "month", "Đến tháng", "To"],
      ["amount", "amount", "Số thêm vào", "Amount"], ["item_key", "text", "Mục", "Item"],
      ["known_at", "instant", "Biết lúc", "Known at"], ["delivery_name", "text", "Tệp nguồn", "Delivery"]],
  },
  changes: {
    title: ["Những giá trị được đính chính", "Values that the corrigendum changes"],
    filters: ["table_name", "column_name", "change_code"],
    columns: [["table_name", "text", "Bảng", "Table"], ["row_key", "text", "Khóa", "Key"], ["column_name", "text", "Cột", "Column"],
      ["change_code", "code", "Thay đổi", "Change"], ["value_before", "text", "Trước", "Before"], ["value_after", "text", "Sau", "After"]],
  },
  checks: {
    title: ["Kiểm tra trước niêm phong", "Checks before sealing"],
    filters: [],
    wraps: true,
    columns: [["name_vi name_en", "sentence", "Điều kiện", "Condition"], ["is_met", "met", "Kết quả", "Result"],
      ["observed", "text", "Thấy", "Observed"], ["wanted", "text", "Cần", "Wanted"],
      ["override_reason", "sentence", "Lý do cho qua", "Why overridden"], ["overridden_by", "text", "Ai cho qua", "By"]],
  },
  known_issues: {
    title: ["Điều cần biết khi đọc số", "Known issues"],
    filters: ["issue_code"],
    wraps: true,
    columns: [["sentence_vi sentence_en", "sentence", "Điều cần biết", "Issue"], ["issue_code", "text", "Mã", "Code"]],
  },
  money_at_stake: {
    title: ["Tiền cách ly còn có thể đổi số", "Money set aside that could still change a figure"],
    filters: ["kind_code"],
    columns: [AGENCY, MONTH, ["kind_code", "code", "Loại", "Kind"], ["at_stake_vnd", "money", "Đồng", "Đồng"]],
  },
  quarantine: {
    title: ["Dòng bị cách ly", "Rows set aside"],
    filters: ["feed_code"],
    columns: [["feed_code", "text", "Nguồn", "Feed"], ["rule_id", "text", "Quy tắc", "Rule"], ["row_count", "count", "Số dòng", "Rows"],
      ["money_vnd", "money", "Đồng", "Đồng"], ["first_seen_at", "instant", "Lần đầu", "First seen"],
      ["last_seen_at", "instant", "Lần cuối", "Last seen"]],
  },
  officer_attainment: {
    title: ["Thực hiện của cán bộ thu", "Attainment of officers"],
    filters: ["month", "agency_name", "metric_code", "is_met"],
    latest: "month",
    columns: [["officer_code", "text", "Mã", "Code"], ["officer_name", "text", "Cán bộ thu", "Officer"], AGENCY, MONTH,
      ["metric_code", "metric", "Chỉ tiêu", "Metric"], ...FIGURES],
  },
  reconciliation: {
    title: ["Đối chiếu với C12", "Reconciliation with C12"],
    filters: ["month", "agency_name", "group_code", "category_name_vi"],
    latest: "month",
    columns: [AGENCY, MONTH, ["group_code", "code", "Quỹ", "Fund"], ["category_name_vi", "text", "Kết quả đối chiếu", "Category"],
      ["row_count", "count", "Số đơn vị", "Count"], ["allocated_vnd", "money", "Phân bổ (đồng)", "Allocated (đồng)"],
      ["paid_vnd", "money", "Đã nộp (đồng)", "Paid (đồng)"], ["difference_vnd", "money", "Chênh lệch (đồng)", "Difference (đồng)"]],
  },
  plans: {
    title: ["Kế hoạch được giao", "Plans"],
    filters: ["object_type_code", "object_code", "plan_year", "metric_code"],
    columns: [["object_type_code", "code", "Giao cho", "For"], ["object_code", "text", "Mã", "Code"], ["plan_year", "text", "Năm", "Year"],
      ["metric_code", "metric", "Chỉ tiêu", "Metric"], ["plan_value", "figure", "Kế hoạch", "Plan"],
      ["effective_from_date", "date", "Hiệu lực từ", "In force from"], ["signed_date", "date", "Ngày ký", "Signed"],
      ["decision_code", "text", "Quyết định", "Decision"], ["assigner_name", "text", "Nơi giao", "Assigned by"]],
  },
  agencies: {
    title: ["Cơ quan", "Agencies"],
    filters: [],
    columns: [["agency_code", "text", "Mã", "Code"], AGENCY, ["parent_agency_code", "text", "Thuộc", "Of"],
      ["level_number", "count", "Cấp", "Level"], ["valid_from_date", "date", "Từ ngày", "From"], ["valid_to_date", "date", "Đến ngày", "To"]],
  },
  metrics: {
    title: ["Chỉ tiêu", "Metrics"],
    filters: [],
    columns: [["metric_code", "text", "Mã", "Code"], METRIC, ["unit_code", "text", "Đơn vị tính", "Unit"],
      ["direction_code", "text", "Chiều", "Direction"]],
  },
};

// Of columns that are chosen by, and not shown.
const OTHER_TITLES = { is_considered: ["Xét hay không", "Considered"], feed: ["Nguồn", "Feed"] };

// The parts of a release, and the tables of each; tables that are not named come last.
const SECTIONS = [
  ["results", ["Kết quả", "Results"], ["attainment"]],
  ["arrears", ["Nợ", "Arrears"], ["arrears_ratio", "employer_arrears"]],
  ["ranking", ["Xếp hạng", "Ranking"], ["ranking", "ranking_points"]],
  ["late", ["Phát sinh muộn", "Came late"], ["late_changes", "changes"]],
  ["certifications", ["Chứng thực", "Certifications"], []],
  ["conditions", ["Điều kiện", "Conditions"], ["checks", "known_issues", "money_at_stake", "quarantine"]],
  ["tables", ["Bảng khác", "Other tables"], ["officer_attainment", "reconciliation", "plans", "agencies", "metrics"]],
  ["files", ["Tệp", "Files"], []],
];
