// --- What the page says, in Vietnamese and in English.

const WORDS = {
  title: ["Kiểm tra bản chốt số", "Verify a release"],
  lead: [
    "Trang này đọc thư mục của bản chốt ngay trên máy của quý vị, so từng byte với mã gốc, rồi mới hiện số liệu. "
      + "Không có gì được gửi đi đâu; không cần mạng.",
    "This page reads a release's folder on your own machine, compares every byte with the root, and only then shows "
      + "the figures. Nothing is sent anywhere; no network is needed.",
  ],
  own: [
    "Hãy dùng bản verify.html của riêng quý vị, không phải tệp nằm trong thư mục được giao: ai tráo được thư mục thì "
      + "cũng tráo được trang này.",
    "Use a verify.html of your own, not the one in the folder that you were given: whoever can exchange the folder can "
      + "exchange this page too.",
  ],
  language: ["Ngôn ngữ", "Language"],
  stepFolder: ["1. Thư mục của bản chốt", "1. The release's folder"],
  chooseFolder: ["Chọn thư mục…", "Choose a folder…"],
  dropHere: ["hoặc thả thư mục vào đây", "or drop the folder here"],
  folderHelp: [
    "Thư mục có tệp manifest.json, hoặc thư mục chứa mọi bản chốt. Trình duyệt có thể hỏi “tải lên”: tệp chỉ được đọc "
      + "trên máy này.",
    "The folder with manifest.json, or the folder of all releases. The browser may speak of an “upload”: files are only "
      + "read on this machine.",
  ],
  chosen: ["Đã chọn: {0} ({1} tệp, {2})", "Chosen: {0} ({1} files, {2})"],
  reading: ["Đang đọc danh sách tệp…", "Reading the list of files…"],
  oneFolder: ["Hãy thả đúng một thư mục.", "Drop exactly one folder."],
  stepRoot: ["2. Mã gốc (root)", "2. The root"],
  rootHelp: [
    "64 chữ số và chữ cái a–f, lấy từ trang đã ký hoặc nguồn mà quý vị tin, không lấy từ chính thư mục này. Cách từng "
      + "nhóm, xuống dòng, chữ hoa đều được.",
    "64 digits and letters a–f, from the signed page or another source that you trust, not from this folder. Blanks, line "
      + "breaks and capitals do not matter.",
  ],
  rootShort: ["Đã có {0}/64 chữ số.", "{0} of 64 digits so far."],
  rootLong: ["Có {0} chữ số: thừa {1}.", "{0} digits: {1} too many."],
  rootOdd: ["Có ký tự không phải 0–9, a–f: {0}", "There are characters other than 0–9, a–f: {0}"],
  rootGood: ["Đủ 64 chữ số.", "64 digits, complete."],
  rootNone: ["Chưa có mã gốc: không có mã gốc thì không chứng minh được gì, và không hiện số liệu.",
    "No root yet: without it nothing is proven, and no figure is shown."],
  scan: ["Quét mã QR", "Scan the QR code"],
  scanStop: ["Dừng quét", "Stop scanning"],
  scanning: ["Đưa mã QR trên trang ký vào trước máy ảnh.", "Hold the signed page's QR code before the camera."],
  scanNone: ["Trình duyệt này không đọc được mã QR: hãy gõ hoặc dán mã gốc.",
    "This browser cannot read QR codes: type or paste the root."],
  scanRefused: ["Không mở được máy ảnh: hãy gõ hoặc dán mã gốc.", "The camera did not open: type or paste the root."],
  scanDone: ["Đã đọc mã gốc từ mã QR. Hãy so vài chữ số với trang ký.",
    "The root was read from the QR code. Compare some digits with the page."],
  stepCheck: ["3. Kiểm tra", "3. Check"],
  check: ["Kiểm tra", "Check"],
  needFolder: ["Hãy chọn thư mục trước.", "Choose a folder first."],
  checking: ["Đang kiểm tra: {0} %", "Checking: {0} %"],
  checkingPath: ["{0} trên {1}: {2}", "{0} of {1}: {2}"],
  unsound: [
    "Trình duyệt này tính sai hoặc thiếu {0}. Chưa kiểm tra gì; hãy dùng trình duyệt mới hơn.",
    "This browser computes {0} wrongly or not at all. Nothing was checked; use a newer browser.",
  ],
  broken: ["Việc kiểm tra bị ngắt: {0}. Chưa kết luận gì.", "The check was interrupted: {0}. There is no verdict."],
  verified: ["Đúng bản đã niêm phong", "Verified: this is what was sealed"],
  failed: ["KHÔNG khớp", "Failed: this is NOT what was sealed"],
  unanchored: ["Chưa đối chiếu với mã gốc", "Not compared with a root"],
  verifiedLead: [
    "Mọi tệp đúng từng byte như lúc niêm phong dưới mã gốc này. Số liệu dưới đây chỉ lấy từ những byte đã kiểm tra.",
    "Every file is, byte for byte, what was sealed under this root. The figures below come from the checked bytes alone.",
  ],
  failedLead: ["Có {0} điều sai khác. Không hiện số liệu nào của thư mục này.",
    "{0} findings. No figure of this folder is shown."],
  unanchoredLead: [
    "Thư mục tự khớp với chính nó. Điều đó CHƯA chứng minh được gì: ai sửa số cũng tính lại được các mã. Hãy nhập mã gốc "
      + "trên trang đã ký rồi kiểm tra lại.",
    "The folder agrees with itself. That proves NOTHING: who edits a figure can recompute the hashes. Enter the root from "
      + "the signed page and check again.",
  ],
  folder: ["Thư mục", "Folder"],
  release: ["Bản chốt", "Release"],
  period: ["Kỳ", "Period"],
  kind: ["Loại", "Kind"],
  cutoff: ["Thời điểm chốt", "Cutoff"],
  knownAt: ["Số liệu biết đến", "As known at"],
  root: ["Mã gốc (root)", "Root"],
  rootComputed: ["Mã gốc tính được", "Root as computed"],
  dataRoot: ["Mã gốc số liệu", "Data root"],
  certified: ["Chứng thực", "Certified"],
  certifiedYes: ["Đã chứng thực: {0} người ký", "Certified: {0} persons signed"],
  certifiedFew: ["{0} chữ ký đúng, cần ít nhất 2", "{0} sound signatures, at least 2 are needed"],
  certifiedNone: ["Chưa có chữ ký điện tử nào", "No electronic signature"],
  superseded: ["Đã được thay thế", "Superseded"],
  supersededBy: ["{0} → {1}", "{0} → {1}"],
  aside: ["Không kiểm tra", "Not checked"],
  asideHelp: ["{0}: nằm ngoài chuỗi các bản chốt", "{0}: outside the chain of releases"],
  previous: ["Bản trước", "Preceding release"],
  previousHelp: ["mã gốc {0}, không có trong thư mục này", "root {0}, not in this folder"],
  maybeLater: [
    "Một bản đính chính sau này có thể thay bản này: muốn biết, hãy kiểm tra cả thư mục chứa mọi bản chốt.",
    "A later release may correct this one: check the folder of all releases to know.",
  ],
  corrects: ["Đính chính", "Corrects"],
  reason: ["Lý do", "Reason"],
  author: ["Người lập", "Author"],
  took: ["{0} trong {1} giây; SHA-256 {2}", "{0} in {1} seconds; SHA-256 {2}"],
  ownCrypto: ["của trình duyệt và của trang", "by the browser and by the page"],
  pageCrypto: ["của trang (trình duyệt không có)", "by the page (the browser has none)"],
  unseen: [
    "Trình duyệt không cho trang thấy lối tắt (link) và thiết bị; chọn bằng nút thì không thấy thư mục trống, kéo thả vào "
      + "Chromium thì không thấy tệp có tên như x~. verify.py thấy tất cả.",
    "A browser does not show links and devices to a page; with the button no empty folders, dropped on Chromium no files "
      + "with names like x~. verify.py sees all.",
  ],
  finding: ["Sai khác", "Finding"],
  where: ["Ở đâu", "Where"],
  means: ["Nghĩa là", "Means"],
  line: ["dòng {0}", "line {0}"],
  wholeFolder: ["(cả thư mục)", "(the folder)"],
  moreFindings: ["… và {0} điều nữa", "… and {0} more"],
  print: ["In phần này", "Print this part"],
  otherRelease: ["Xem bản", "Show release"],
  newest: ["{0} (mới nhất)", "{0} (newest)"],
  sections: ["Các phần của bản chốt", "Parts of the release"],
  search: ["Tìm trong bảng", "Search in the table"],
  all: ["Tất cả", "All"],
  allColumns: ["Mọi cột", "All columns"],
  reset: ["Bỏ lọc", "Clear filters"],
  rows: ["{0} dòng", "{0} rows"],
  oneRow: ["1 dòng", "1 row"],
  rowsOf: ["{0} trong {1} dòng", "{0} of {1} rows"],
  working: ["Đang đọc bảng… {0} %", "Reading the table… {0} %"],
  empty: ["Không có dòng nào.", "There is no row."],
  emptyFiltered: ["Không có dòng nào khớp với bộ lọc.", "No row matches the filters."],
  scrollHelp: ["Bảng cuộn được: phím lên, xuống, Page Up, Page Down, Home, End.",
    "The table scrolls: arrow keys, Page Up, Page Down, Home, End."],
  shownRows: ["Đang hiện dòng {0}–{1}", "Showing rows {0}–{1}"],
  printSome: ["Chỉ in {0} dòng đầu; hãy lọc bớt để in đủ.", "Only the first {0} rows are printed; filter to print all."],
  tooLarge: ["Bảng quá lớn để hiện ở đây; tệp đã được kiểm tra, hãy mở {0}.",
    "The table is too large to be shown here; its file was checked, open {0}."],
  sortBy: ["Sắp xếp theo {0}", "Sort by {0}"],
  nothing: ["–", "–"],
  yes: ["Có", "Yes"],
  no: ["Không", "No"],
  met: ["Đạt", "Met"],
  missed: ["Không đạt", "Not met"],
  planOfZero: ["KH 0", "plan 0"],
  planNone: ["Chưa giao KH", "No plan given"],
  planNotYet: ["KH chưa hiệu lực", "Plan not yet in force"],
  withheld: ["(tên không công bố)", "(name withheld)"],
  notConsidered: ["Không xét", "Not considered"],
  shared: ["đồng hạng", "shared"],
  matrixTitle: ["Đạt kế hoạch: cơ quan × chỉ tiêu, lũy kế đến {0}", "Plans met: agencies × metrics, to date in {0}"],
  matrixHelp: [
    "Số trong ô: tỷ lệ so với kế hoạch; ở chỉ tiêu nợ là chính tỷ lệ nợ, phải thấp hơn chỉ tiêu. ✓ đạt, ✗ không đạt, "
      + "– chưa có số liệu. KH 0: kế hoạch được giao bằng 0, thực hiện bao nhiêu cũng là đạt. Tỉnh có kế hoạch riêng, và người "
      + "có ở nhiều cơ quan chỉ được đếm một lần ở tỉnh: mọi cơ quan đạt mà tỉnh vẫn có thể không đạt.",
    "In a cell: the share of the plan; of arrears the ratio itself, which must be below its target. ✓ met, ✗ not met, "
      + "– no figure yet. Plan 0: the plan given is 0, met by any figure. The province has a plan of its own, and counts a person "
      + "of two agencies once: every agency can meet its plan and the province miss it.",
  ],
  lateNone: [
    "Bản này là bản gốc: sổ phát sinh muộn và danh sách thay đổi chỉ có trong bản đính chính.",
    "This is no corrigendum: the register of what came late and the list of changes stand in corrigenda alone.",
  ],
  signersNone: ["Bản này không nêu ai được ký chứng thực.", "This release names nobody who may certify it."],
  signer: ["Người ký", "Signer"],
  signedAt: ["Ký lúc", "Signed at"],
  signedYes: ["Chữ ký đúng", "Signature holds"],
  signedNo: ["Chưa ký", "Has not signed"],
  publicKey: ["Khóa công khai", "Public key"],
  certificationHelp: [
    "Chữ ký Ed25519 trên chính mã gốc này, kiểm tra theo khóa công khai ghi trong bản kê.",
    "Ed25519 signatures of this very root, checked by the public keys in the manifest.",
  ],
  matrixAgency: ["Cơ quan", "Agency"],
  fileName: ["Tệp", "File"],
  fileSize: ["Cỡ", "Size"],
  fileRows: ["Số bản ghi", "Records"],
  filesHelp: ["Các tệp dưới mã gốc, đều đã được kiểm tra.", "The files under the root, all of them checked."],
};

const LANGUAGES = ["vi", "en"];
let language = 0;

/** The page's words in its language, with {0} and the like filled in. */
function say(key, ...values) {
  return WORDS[key][language].replace(/\{([0-9])\}/g, (_, place) => String(values[place]));
}

const either = (pair) => pair[language];

// What each finding means (docs/verification.md).
const FINDINGS = {
  anchor: ["Thư mục tự khớp, nhưng là bản khác với bản mà quý vị giữ mã gốc. Gõ lại mã gốc của đúng bản này; vẫn thế thì coi là giả.",
    "The folder is consistent, but it is another release than the one whose root you hold. Type the root of this one again; then treat the folder as forged."],
  sha256: ["Tệp này không phải tệp đã niêm phong. Giữ tệp sai, lấy lại bản đúng từ người lưu giữ thứ hai.",
    "This file is not the one that was sealed. Keep it, and restore the folder from a second custodian."],
  "merkle-root": ["Tệp này không phải tệp đã niêm phong (cây băm của các dòng).", "This file is not the one that was sealed (the tree hash of its lines)."],
  rows: ["Số bản ghi khác với bản kê.", "The number of records is not that of the manifest."],
  bytes: ["Cỡ tệp khác với bản kê.", "The size is not that of the manifest."],
  row: ["Dòng đầu tiên sai trong tệp; dòng tiêu đề là dòng 1. Hãy so với bản đúng.", "The first line of the file that differs, the header being line 1. Compare it with a sound copy."],
  missing: ["Thiếu tệp. Giải nén lại, hoặc lấy lại bản đủ.", "A listed file is gone. Unpack again, or restore."],
  unlisted: ["Có tệp hay thư mục không được niêm phong. Đọc kỹ tên trước khi chuyển đi (.DS_Store, Thumbs.db, desktop.ini do máy tính tự đặt).",
    "A file or folder that was not sealed. Read its name before you move it out (.DS_Store, Thumbs.db, desktop.ini are put there by computers)."],
  "odd-file": ["Lối tắt, thiết bị, hoặc tên không phải chữ: nội dung có thể đổi sau khi kiểm tra.", "A link, a device, or a name that is no text: what it leads to could change after the check."],
  certification: ["Chữ ký này không phải của người có quyền ký trên đúng mã gốc này. Giữ lại làm bằng chứng.",
    "This is no signature of this very root by one of its signers. Keep it as evidence."],
  "manifest-missing": ["Không có bản kê manifest.json: có đúng thư mục không?", "There is no manifest.json: is it the right folder?"],
  "manifest-unreadable": ["Bản kê không đọc được: hỏng, hoặc không phải bản kê.", "The manifest cannot be read: damaged, or none."],
  "manifest-not-canonical": ["Bản kê đã bị viết lại bằng tay hoặc bằng chương trình khác.", "The manifest was rewritten by hand or by another program."],
  format: ["Không phải bản chốt theo định dạng chotso-bundle/1.", "Not a release of the format chotso-bundle/1."],
  identity: ["Mã bản chốt, kỳ và loại không khớp nhau.", "Release, period and kind do not fit each other."],
  instants: ["Thời điểm không có thật, hoặc sai thứ tự.", "Instants that do not exist, or out of order."],
  correction: ["Bản đính chính không nói đủ lý do, người lập, bản bị đính chính và thay đổi.", "A corrigendum that does not say why, by whom, of which root and what it changes."],
  "file-list": ["Danh sách tệp trong bản kê sai dạng, sai thứ tự hoặc trùng nhau.", "The manifest's list of files is malformed, out of order or double."],
  path: ["Bản kê nêu một đường dẫn không được phép.", "The manifest lists a path that may not be listed."],
  incomplete: ["Bản kê thiếu một tệp bắt buộc.", "The manifest lacks a file that must be listed."],
  "manifest-field": ["Bản kê thiếu một mục hoặc ghi sai dạng.", "A field of the manifest is absent or malformed."],
  signers: ["Danh sách người ký không hợp lệ.", "The list of signers is not one of distinct persons with sound keys."],
  "data-root": ["Bản kê tự mâu thuẫn về số liệu.", "The manifest contradicts itself about the figures."],
  configuration: ["Bản kê nêu các sổ quy tắc khác với thư mục config.", "The manifest names other registers than those in config."],
  "not-a-folder": ["Không phải thư mục.", "This is no folder."],
  unreadable: ["Máy không cho đọc. Cấp quyền đọc, hoặc chép ra chỗ khác rồi kiểm tra lại.", "The system does not let it be read. Mend the rights, or copy it, and check again."],
  bounds: ["Quá nhiều tệp, thư mục lồng quá sâu, hoặc bản kê quá lớn: không phải bản chốt.", "Too many files, folders too deep, or too large a manifest: no release."],
  "folder-name": ["Bản chốt nằm trong thư mục mang tên khác.", "A release lies in a folder of another name."],
  "chain-rehearsal": ["Có bản diễn tập trong các bản chốt.", "A rehearsal lies among the releases."],
  "chain-start": ["Thiếu bản đầu tiên của chuỗi.", "The first release of the chain is missing."],
  "chain-gap": ["Thiếu bản liền trước.", "The preceding release is missing."],
  "chain-fork": ["Hai bản cùng nối sau một bản: có bản giả.", "Two releases follow the same one: one is forged."],
  "chain-order": ["Bản đính chính không đúng thứ tự, hoặc không đính chính đúng bản.", "A corrigendum out of order, or of another root."],
};
