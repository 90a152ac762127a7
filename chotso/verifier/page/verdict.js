// --- What was found: the verdict, what it is about, and what is wrong.

const MOST_FINDINGS = 500;
const MARKS = { verified: "✓", failed: "✗", unanchored: "!" };

const facts = (pairs) => h("dl", { class: "facts" },
  pairs.filter(([, value]) => value !== null).map(([key, value]) =>
    h("div", {}, h("dt", {}, say(key)), h("dd", {}, typeof value === "string" ? visible(value) : value))));

const code = (text) => h("code", {}, text);

/** The verdict of a check; of a failed one no figure, and no more of the manifest than its name. */
function verdictOf(done, folderName) {
  const { answer, releases } = done;
  const { status } = answer;
  const newest = releases.find((release) => release.root === answer.root);
  const distinct = [...new Map(answer.findings.map((each) => [JSON.stringify([each.code, each.path, each.row]), each])).values()];
  const lead = say(`${status}Lead`, distinct.length);
  const signed = answer.certified_by.length;
  const heading = h("h2", { tabindex: "-1", id: "verdict" },
    h("span", { class: "mark", "aria-hidden": "true" }, MARKS[status]), say(status));
  return h("section", { class: `verdict ${status}`, "aria-labelledby": "verdict" },
    heading,
    h("p", { class: "lead" }, lead),
    facts([
      ["folder", folderName],
      ["release", answer.release_id],
      ...(newest ? factsOf(newest, answer) : []),
      [status === "verified" ? "root" : "rootComputed", answer.root && code(inFours(answer.root))],
      ["dataRoot", answer.data_root && code(inFours(answer.data_root))],
      ["certified", status !== "verified" ? null : signed === 0 ? say("certifiedNone")
        : say(answer.is_certified ? "certifiedYes" : "certifiedFew", signed) + `: ${answer.certified_by.join(", ")}`],
      ...Object.entries(answer.superseded).map(([one, two]) => ["superseded", say("supersededBy", one, two)]),
      ...(answer.aside.length ? [["aside", say("asideHelp", answer.aside.slice(0, 20).join(", "))]] : []),
    ]),
    distinct.length ? findingsOf(distinct) : null,
    status === "verified" && !answer.is_chain ? h("p", { class: "quiet" }, say("maybeLater")) : null,
    h("p", { class: "quiet" },
      say("took", size(done.bytes), rounded(done.seconds.toFixed(1), 1), say(done.crypto ? "ownCrypto" : "pageCrypto")), ". ", say("unseen")));
}

function factsOf(release, answer) {
  const { correction } = release;
  return [
    ["period", release.period_id],
    ["kind", labelOf("kind", release.kind)],
    ["cutoff", instant(release.cutoff_at)],
    ["knownAt", instant(release.as_known_at)],
    ["corrects", release.corrects],
    ["reason", correction?.reason ?? null],
    ["author", correction?.author ?? null],
    ["previous", release.previous_root && !answer.is_chain ? say("previousHelp", inFours(release.previous_root)) : null],
  ];
}

function findingsOf(findings) {
  const some = findings.slice(0, MOST_FINDINGS);
  const rest = findings.length - some.length;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("finding") },
    h("table", { class: "findings wraps" },
      h("thead", {}, h("tr", {}, ["finding", "where", "means"].map((key) => h("th", { scope: "col" }, say(key))))),
      h("tbody", {}, some.map(({ code: name, path, row }) => h("tr", {},
        h("td", {}, code(name)),
        h("td", { class: "path" }, path === "" ? say("wholeFolder") : visible(path), row === null ? null : `, ${say("line", row)}`),
        h("td", { class: "sentence" }, either(FINDINGS[name])))))),
    rest ? h("p", {}, say("moreFindings", rest)) : null);
}
