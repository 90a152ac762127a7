// --- How figures are said: exact decimal text in, 1.234,50 or 1,234.50 out; nothing is a floating-point number.

const UNITS = { vnd: ["đồng", "đồng"], person: ["người", "persons"] };
const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;

/** A decimal text with so many decimals, halves away from zero. */
function rounded(text, places, scale = 0) {
  const found = DECIMAL.exec(text);
  if (!found) return text;
  const [, sign, whole, fraction = ""] = found;
  const surplus = fraction.length - places - scale;
  let digits = BigInt(whole + fraction);
  if (surplus > 0) digits = (digits * 2n + 10n ** BigInt(surplus)) / (2n * 10n ** BigInt(surplus));
  else digits *= 10n ** BigInt(-surplus);
  const padded = digits.toString().padStart(places + 1, "0");
  const [before, after] = [padded.slice(0, padded.length - places), padded.slice(padded.length - places)];
  const [thousands, point] = language ? [",", "."] : [".", ","];
  const grouped = before.replace(/\B(?=(?:[0-9]{3})+$)/g, thousands);
  return `${sign && digits ? "−" : ""}${grouped}${places ? point + after : ""}`;
}

/** A fraction in per cent; with more decimals where two would make it look equal to what it is compared with. */
function percent(text, beside = null) {
  const mark = language ? "%" : "\u00a0%";
  for (const places of [2, 4]) {
    const said = rounded(text, places, 2);
    if (beside === null || text === beside || said !== rounded(beside, places, 2)) return said + mark;
  }
  return rounded(text, 7, 2) + mark;
}

const day = (text) => (language ? text : text.split("-").reverse().join("/"));
const monthOf = (text) => (language ? text.slice(0, 7) : text.slice(0, 7).split("-").reverse().join("/"));

/** An instant in Vietnam, UTC+7; seconds only where there are some. */
function instant(text) {
  const local = new Date(Date.parse(`${text.slice(0, 19)}Z`) + 7 * 3_600_000).toISOString();
  const time = local.slice(11, local.slice(17, 19) === "00" ? 16 : 19);
  return language ? `${local.slice(0, 10)} ${time}` : `${time} ngày ${day(local.slice(0, 10))}`;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const [amount, unit] = bytes < 1 << 20 ? [bytes / 1024, "KiB"] : [bytes / (1 << 20), "MiB"];
  return `${rounded(amount.toFixed(1), 1)} ${unit}`;
}

const inFours = (hash) => hash.match(/.{1,4}/g).join(" ");

/** A metric's figure in its unit; its own row says which. */
function figure(value, row) {
  const isRatio = (row.unit_code ?? row.kind_code) === "fraction" || row.kind_code === "ratio";
  if (isRatio) return percent(value, row.actual_to_date === value ? row.plan_in_force : row.actual_to_date);
  return `${rounded(value, 0)}${UNITS[row.unit_code] ? `\u00a0${either(UNITS[row.unit_code])}` : ""}`;
}

/** Whether a plan was met; a plan of 0 is said the same way as in the papers. */
function met(value, row) {
  const ofZero = row.plan_status_code === "zero" ? ` (${say("planOfZero")})` : "";
  return value === "true" ? `✓\u00a0${say("met")}${ofZero}` : value === "false" ? `✗\u00a0${say("missed")}${ofZero}` : say("nothing");
}

/** Why there is no verdict: no plan, or one that is not yet in force. */
const withoutVerdict = (row) => say({ none: "planNone", not_yet: "planNotYet" }[row.plan_status_code] ?? "nothing");

// How a field is said, by the column's type; null is a dash.
const SAID = {
  text: (value) => value,
  sentence: (value) => value,
  code: (value, row, name) => labelOf(name, value),
  agency: (value, row, name, context) => context.agencies.get(value) ?? value,
  metric: (value, row, name, context) => context.metrics.get(value)?.[language] ?? value,
  month: monthOf,
  date: day,
  instant,
  money: (value) => rounded(value, 0),
  count: (value) => rounded(value, 0),
  decimal: (value) => rounded(value, 1),
  points: (value) => rounded(value, 4),
  ratio: (value) => percent(value),
  figure,
  amount: (value, row) => (row.unit_code === "fraction" ? percent(value) : figure(value, row)),
  plan: (value, row) => (row.direction_code === "below" ? "< " : "") + figure(value, row),
  attainment: (value, row) => (row.direction_code === "below" ? say("nothing") : percent(value, "1.000000000")),
  met,
  rank: (value, row) => value + (row.is_rank_shared === "true" ? ` (${say("shared")})` : ""),
};
const RIGHT = new Set(["money", "count", "decimal", "points", "ratio", "figure", "amount", "plan", "attainment", "rank"]);

function said(type, value, row, name, context) {
  if (type === "employer" && value === null) return row.is_name_withheld === "true" ? say("withheld") : say("nothing");
  if (type === "rank" && value === null) return row.is_considered === "false" ? say("notConsidered") : say("nothing");
  if (type === "met" && value === null) return withoutVerdict(row);
  if (value === null || value === undefined) return say("nothing");
  return (SAID[type] ?? SAID.text)(value, row, name, context);
}
