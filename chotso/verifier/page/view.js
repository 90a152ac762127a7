// --- A verified release: its parts, from the bytes that were checked.

const MOST_CELLS = 1_500;

/** What is asked of the worker: one question, one answer. */
class Asker {
  constructor(worker) {
    this.worker = worker;
    this.waiting = new Map();
    this.grids = new Map();
    this.count = 0;
    worker.addEventListener("message", ({ data }) => {
      if (data.kind === "answer") {
        this.waiting.get(data.id)?.(data);
        this.waiting.delete(data.id);
      } else if (data.kind === "share") this.grids.get(data.asker)?.told(data.share);
    });
  }

  of(root, path) {
    return (question, grid) => new Promise((found) => {
      const id = ++this.count, asker = grid?.id ?? `once${id}`;
      if (grid) this.grids.set(asker, grid);
      this.waiting.set(id, found);
      this.worker.postMessage({ kind: "question", id, asker, root, path, ...question });
    });
  }
}

class ReleaseView {
  constructor(asker, release, states) {
    Object.assign(this, { asker, release, states });
    this.context = {
      month: `${instantDay(release.cutoff_at).slice(0, 7)}-01`,
      metrics: new Map(),
      agencies: new Map(),
      rows: (name) => release.files.find((each) => each.path === `data/${name}.csv`)?.rows ?? 0,
    };
    this.grids = [];
    this.has = (name) => release.files.some((each) => each.path === `data/${name}.csv`);
    this.isHeld = (name) => release.held.includes(`data/${name}.csv`);
  }

  /** Names of metrics and agencies, once; without them codes are shown. */
  async readNames() {
    for await (const row of this.rowsOf("metrics")) {
      const [vi, en] = [row.metric_name_vi, row.metric_name_en].map((name) => visible(name ?? row.metric_code));
      this.context.metrics.set(row.metric_code, [vi, en]);
    }
    for await (const row of this.rowsOf("agencies")) this.context.agencies.set(row.agency_code, visible(row.agency_name));
  }

  /** The first rows of a table, as objects. */
  async* rowsOf(name) {
    if (!this.isHeld(name)) return;
    const ask = this.asker.of(this.release.root, `data/${name}.csv`);
    const { columns } = await ask({ choices: [] });
    const { rows } = await ask({ search: "", filters: {}, sort: null, from: 0, count: 1_000 });
    for (const row of rows) yield Object.fromEntries(columns.map((column, i) => [column, row[i]]));
  }

  tabs() {
    const chosen = this.states.section ??= SECTIONS[0][0];
    const panel = h("div", { role: "tabpanel", id: "part", "aria-labelledby": `tab-${chosen}`, tabindex: "-1" });
    const tabs = SECTIONS.map(([key, title]) => h("button", {
      type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "part",
      onclick: () => choose(key), onkeydown: (event) => move(event, key),
    }, either(title)));
    const choose = (key) => {
      this.states.section = key;
      tabs.forEach((tab, place) => {
        const isChosen = SECTIONS[place][0] === key;
        tab.setAttribute("aria-selected", String(isChosen));
        tab.setAttribute("tabindex", isChosen ? "0" : "-1");
        if (isChosen) panel.setAttribute("aria-labelledby", tab.id);
      });
      this.grids = [];
      panel.replaceChildren(...this.part(key));
    };
    const move = (event, key) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -99, End: 99 }[event.key];
      if (!step) return;
      const here = SECTIONS.findIndex(([each]) => each === key);
      const next = Math.abs(step) === 99 ? (step < 0 ? 0 : tabs.length - 1) : (here + step + tabs.length) % tabs.length;
      event.preventDefault();
      choose(SECTIONS[next][0]);
      tabs[next].focus();
    };
    choose(chosen);
    return h("section", { class: "release" },
      h("div", { role: "tablist", class: "tabs", "aria-label": say("sections") }, tabs),
      h("div", { class: "above" }, h("button", { type: "button", class: "plain print", onclick: () => this.print() }, say("print"))),
      panel);
  }

  *part(key) {
    const [, title, named] = SECTIONS.find(([each]) => each === key);
    yield h("h2", {}, either(title));
    if (key === "results") yield this.matrix();
    if (key === "late" && !named.some((name) => this.has(name))) yield h("p", {}, say("lateNone"));
    if (key === "certifications") yield* this.certifications();
    if (key === "files") yield* this.files();
    const known = SECTIONS.flatMap(([, , names]) => names);
    const others = this.release.files.map((each) => /^data\/(.*)\.csv$/.exec(each.path)?.[1]).filter((name) => name && !known.includes(name));
    for (const name of key === "tables" ? [...named, ...others] : named) if (this.has(name)) yield this.grid(name);
  }

  grid(name) {
    const path = `data/${name}.csv`;
    const { title } = TABLES[name] ?? { title: [name, name] };
    if (!this.isHeld(name)) return h("section", { class: "table" }, h("h3", {}, either(title)), h("p", {}, say("tooLarge", path)));
    const state = (this.states[`${this.release.root} ${name}`] ??= {});
    const made = new Grid(this.asker.of(this.release.root, path), this.context, name, state);
    this.grids.push(made);
    return made.element;
  }

  /** Agencies by metrics of the cutoff's month, where that is a page and no book. */
  matrix() {
    const place = h("div");
    this.fillMatrix(place);
    return place;
  }

  async fillMatrix(place) {
    if (!this.isHeld("attainment")) return;
    const ask = this.asker.of(this.release.root, "data/attainment.csv");
    const { columns, choices } = await ask({ choices: ["month"] });
    const month = (choices.month ?? []).filter((each) => each !== null && each <= this.context.month).at(-1);
    if (!month) return;
    const found = await ask({ search: "", filters: { month }, sort: null, from: 0, count: MOST_CELLS + 1 });
    if (!found.total || found.total > MOST_CELLS) return;
    const rows = found.rows.map((fields) => Object.fromEntries(columns.map((name, i) => [name, fields[i]])));
    const by = (key) => [...new Map(rows.map((row) => [row[key], row])).values()];
    const cells = new Map(rows.map((row) => [`${row.agency_code} ${row.metric_code}`, row]));
    const metrics = by("metric_code"), agencies = by("agency_code");
    const nameOf = (row) => visible(row[language ? "metric_name_en" : "metric_name_vi"] ?? row.metric_code);
    place.replaceChildren(
      h("h3", { id: "matrix" }, say("matrixTitle", monthOf(month))),
      h("p", { class: "quiet" }, say("matrixHelp")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "matrix" },
        h("table", { class: "matrix" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("matrixAgency")),
            metrics.map((row) => h("th", { scope: "col" }, nameOf(row))))),
          h("tbody", {}, agencies.map((agency) => h("tr", {},
            h("th", { scope: "row" }, visible(agency.agency_name ?? agency.agency_code)),
            metrics.map((metric) => this.cell(cells.get(`${agency.agency_code} ${metric.metric_code}`)))))))));
  }

  cell(row) {
    if (!row) return h("td", {}, say("nothing"));
    const isBelow = row.direction_code === "below" || row.kind_code === "ratio";
    const figureHere = isBelow ? row.actual_to_date : row.attainment_ratio;
    const beside = isBelow ? row.plan_in_force : "1.000000000";
    const isZero = row.plan_status_code === "zero";
    const text = isZero ? say("planOfZero")
      : figureHere === null || figureHere === undefined ? withoutVerdict(row) : percent(figureHere, beside);
    const [mark, kind, words] = { true: ["✓\u00a0", "good", say("met")], false: ["✗\u00a0", "bad", say("missed")] }[row.is_met] ?? ["", "", ""];
    return h("td", { class: kind }, h("span", { "aria-hidden": "true" }, mark), text, words ? h("span", { class: "unseen" }, `, ${words}`) : null);
  }

  *certifications() {
    const { signers, certifications } = this.release;
    yield h("p", {}, say("certificationHelp"));
    if (!signers?.length) {
      yield h("p", {}, say("signersNone"));
      return;
    }
    const of = (id) => certifications.find((each) => each.signer_id === id);
    yield h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("certified") },
      h("table", {},
        h("thead", {}, h("tr", {}, ["signer", "certified", "signedAt", "publicKey"].map((key) => h("th", { scope: "col" }, say(key))))),
        h("tbody", {}, signers.map((signer) => {
          const found = of(signer.id);
          return h("tr", {}, h("td", {}, `${visible(signer.name)} (${signer.id})`),
            h("td", { class: found ? "good" : "" }, found ? `✓\u00a0${say("signedYes")}` : say("signedNo")),
            h("td", {}, found ? instant(found.certified_at) : say("nothing")), h("td", {}, code(signer.public_key)));
        }))));
  }

  *files() {
    yield h("p", {}, say("filesHelp"));
    yield h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("filesHelp") },
      h("table", {},
        h("thead", {}, h("tr", {}, [say("fileName"), say("fileSize"), say("fileRows"), "SHA-256"].map((title) => h("th", { scope: "col" }, title)))),
        h("tbody", {}, this.release.files.slice(0, 2_000).map((file) => h("tr", {}, h("td", {}, file.path),
          h("td", { class: "right" }, size(file.bytes)),
          h("td", { class: "right" }, file.rows === null ? say("nothing") : rounded(String(file.rows), 0)), h("td", {}, code(file.sha256)))))));
  }

  async print() {
    for (const each of this.grids) await each.forPrint(true);
    globalThis.print();
    for (const each of this.grids) await each.forPrint(false);
  }
}

/** The local day of an instant, as a date. */
function instantDay(text) {
  return new Date(Date.parse(`${text.slice(0, 19)}Z`) + 7 * 3_600_000).toISOString().slice(0, 10);
}
