// --- A table that sorts, filters and, when it is large, holds only the rows that can be seen.

const MOST_WHOLE = 60; // rows of a table that stands whole
const MOST_WRAPPED = 1_000; // of one with sentences, whose rows differ in height
const MOST_PRINTED = 3_000;
const TALLEST = 8_000_000; // pixels; browsers end somewhere above
const SEEN_AT_ONCE = 18; // rows

/** An element; nothing is ever read as HTML. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const columnName = (names) => names.split(" ").at(language) ?? names.split(" ")[0];

class Grid {
  static count = 0;

  /** @param state What people chose; it outlives the grid where the language changes. */
  constructor(ask, context, name, state) {
    Object.assign(this, { ask, context, name, state });
    this.spec = TABLES[name] ?? { title: [name, name], filters: [], columns: null };
    this.id = `grid${++Grid.count}`;
    this.first = 0;
    this.total = 0;
    this.limit = this.mostWhole;
    state.search ??= "";
    state.isWide ??= this.spec.columns === null;
    state.sort ??= this.spec.sort ?? null;
    this.element = h("section", { class: "table" },
      h("h3", { id: `${this.id}t` }, either(this.spec.title)));
    this.ready = this.begin();
  }

  get mostWhole() {
    return this.spec.wraps ? MOST_WRAPPED : MOST_WHOLE;
  }

  async begin() {
    this.note = h("p", { class: "quiet", role: "status" });
    this.element.append(this.note);
    const { columns, choices } = await this.ask({ choices: this.spec.filters.flatMap((each) => each.split(" ")) }, this);
    this.columns = columns;
    this.choices = choices;
    if (!this.state.filters) this.state.filters = this.startFilters();
    this.element.insertBefore(this.controls(), this.note);
    this.place = h("div");
    this.element.append(this.place);
    await this.refresh();
  }

  startFilters() {
    const { latest, start = {} } = this.spec;
    const filters = {};
    const months = (latest && this.choices[latest]) || [];
    const newest = months.filter((month) => month !== null && month <= this.context.month).at(-1);
    if (newest && months.length > 1) filters[latest] = newest;
    for (const [name, value] of Object.entries(start)) if (this.choices[name]?.includes(value)) filters[name] = value;
    return filters;
  }

  shownColumns() {
    if (this.state.isWide) return this.columns.map((name) => [name, "text", name, name]);
    const known = (names) => this.columns.includes(columnName(names)) || this.columns.includes(names.split(" ")[0]);
    return this.spec.columns.filter(([names]) => known(names));
  }

  fieldName(names) {
    return this.columns.includes(columnName(names)) ? columnName(names) : names.split(" ")[0];
  }

  controls() {
    const { state } = this;
    const search = h("input", {
      type: "search", value: state.search, id: `${this.id}s`, autocomplete: "off", spellcheck: "false",
      oninput: () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
          state.search = search.value;
          this.refresh();
        }, 250);
      },
    });
    const fields = [h("label", { class: "field" }, h("span", {}, say("search")), search)];
    for (const names of this.spec.filters) {
      const name = this.fieldName(names);
      if ((this.choices[name]?.length ?? 0) > 1) fields.push(this.choice(names, name));
    }
    const wide = h("input", { type: "checkbox", onchange: () => {
      state.isWide = wide.checked;
      this.refresh();
    } });
    wide.checked = state.isWide;
    if (this.spec.columns) fields.push(h("label", { class: "check" }, wide, say("allColumns")));
    fields.push(h("button", { type: "button", class: "plain", onclick: () => {
      state.filters = {};
      state.search = search.value = "";
      for (const select of this.element.querySelectorAll("select")) select.value = "*";
      this.refresh();
    } }, say("reset")));
    return h("div", { class: "controls" }, fields);
  }

  choice(names, name) {
    const { state } = this;
    const column = (this.spec.columns ?? []).find((each) => each[0] === names);
    const select = h("select", { onchange: () => {
      if (select.value === "*") delete state.filters[name];
      else state.filters[name] = this.choices[name][Number(select.value)];
      this.refresh();
    } }, h("option", { value: "*" }, say("all")));
    this.choices[name].forEach((value, place) => {
      const type = column?.[1] === "met" ? "code" : column?.[1] ?? "code";
      const text = said(type, value === null ? null : visible(value), {}, name, this.context);
      select.append(h("option", { value: String(place) }, text));
    });
    const place = this.choices[name].indexOf(state.filters[name]);
    select.value = place < 0 ? "*" : String(place);
    const title = column ? column[2 + language] : Object.hasOwn(OTHER_TITLES, name) ? either(OTHER_TITLES[name]) : name;
    return h("label", { class: "field" }, h("span", {}, title), select);
  }

  question(from, count) {
    const { search, filters, sort } = this.state;
    return { search, filters, sort, from, count };
  }

  /** Ask again, from the first row. */
  async refresh() {
    const shown = this.shownColumns();
    const answer = await this.ask(this.question(0, this.limit), this);
    if (answer.stopped) return;
    this.first = 0;
    this.total = answer.total;
    this.isVirtual = this.total > this.limit;
    const hasFilter = this.state.search !== "" || Object.keys(this.state.filters).length > 0;
    this.countText = hasFilter && this.context.rows(this.name) !== this.total
      ? say("rowsOf", rounded(String(this.total), 0), rounded(String(this.context.rows(this.name)), 0))
      : this.total === 1 ? say("oneRow") : say("rows", rounded(String(this.total), 0));
    this.note.textContent = this.total ? this.countText : say(hasFilter ? "emptyFiltered" : "empty");
    this.body = h("tbody");
    const caption = h("caption", { class: "unseen" }, either(this.spec.title));
    this.table = h("table", { class: this.spec.wraps && !this.state.isWide ? "wraps" : "", "aria-rowcount": String(this.total + 1) },
      caption, h("thead", {}, h("tr", { "aria-rowindex": "1" }, shown.map((column) => this.heading(column)))), this.body);
    if (!this.total) this.place.replaceChildren();
    else this.place.replaceChildren(this.isVirtual ? this.window() : this.region(this.table));
    this.fill(answer.rows, shown);
    if (this.isVirtual) this.settle();
  }

  heading([names, type, ...titles]) {
    const name = this.fieldName(names);
    const { state } = this;
    const isSorted = state.sort?.column === name;
    const order = isSorted ? (state.sort.descending ? "descending" : "ascending") : "none";
    const title = titles[language];
    const button = h("button", { type: "button", "data-column": name, onclick: async () => {
      const isUp = isSorted && !state.sort.descending;
      state.sort = { column: name, descending: isUp };
      await this.refresh();
      this.table.querySelector(`button[data-column="${CSS.escape(name)}"]`)?.focus();
    } }, title, h("span", { "aria-hidden": "true", class: "arrow" }, isSorted ? (state.sort.descending ? "▼" : "▲") : "↕"));
    return h("th", { scope: "col", "aria-sort": order, class: RIGHT.has(type) ? "right" : "" }, button);
  }

  region(...children) {
    return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": `${this.id}t` }, children);
  }

  fill(rows, shown = this.shownColumns()) {
    this.body.replaceChildren(...rows.map((fields, place) => {
      const row = Object.fromEntries(this.columns.map((name, i) => [name, fields[i] === null ? null : visible(fields[i])]));
      return h("tr", { "aria-rowindex": String(this.first + place + 2) }, shown.map(([names, type]) => {
        const name = this.fieldName(names);
        const text = said(type, row[name] ?? null, row, name, this.context);
        const verdict = type === "met" ? ` ${row[name] === "true" ? "good" : row[name] === "false" ? "bad" : ""}` : "";
        const kind = RIGHT.has(type) ? "right" : type === "sentence" ? "sentence" : "";
        return h("td", { class: kind + verdict, title: this.isVirtual && text.length > 40 ? text : null }, text);
      }));
    }));
    if (this.isVirtual) {
      const last = rounded(String(this.first + rows.length), 0);
      this.where.textContent = say("shownRows", rounded(String(this.first + 1), 0), last);
    }
  }

  /** A window of rows over a space as tall as all of them, or as tall as browsers allow. */
  window() {
    this.where = h("p", { class: "quiet where" });
    this.space = h("div", { class: "space" }, this.table);
    this.scroll = this.region(this.space);
    this.scroll.classList.add("window");
    this.scroll.setAttribute("aria-describedby", `${this.id}h`);
    this.scroll.addEventListener("scroll", () => this.scrolled());
    this.scroll.addEventListener("keydown", (event) => this.pressed(event));
    return h("div", {}, h("p", { class: "quiet help", id: `${this.id}h` }, say("scrollHelp")), this.scroll, this.where);
  }

  settle() {
    const row = this.body.querySelector("tr");
    const height = row?.getBoundingClientRect().height || 34;
    const head = this.table.querySelector("thead").getBoundingClientRect().height || 40;
    const view = head + SEEN_AT_ONCE * height;
    this.scroll.style.height = `${view + 20}px`;
    this.space.style.height = `${Math.min(this.total * height, TALLEST) + head}px`;
    while (this.body.children.length > SEEN_AT_ONCE) this.body.lastChild.remove();
    this.go(0);
  }

  get last() {
    return Math.max(this.total - SEEN_AT_ONCE, 0);
  }

  get reach() {
    return Math.max(this.scroll.scrollHeight - this.scroll.clientHeight, 1);
  }

  scrolled() {
    if (this.isMoving) {
      this.isMoving = false;
      return;
    }
    this.show(Math.round((this.scroll.scrollTop / this.reach) * this.last));
  }

  /** To a row, the scroll bar after it. */
  go(first) {
    const wanted = Math.min(Math.max(first, 0), this.last);
    const top = Math.round((wanted / Math.max(this.last, 1)) * this.reach);
    if (Math.abs(this.scroll.scrollTop - top) >= 1) {
      this.isMoving = true;
      this.scroll.scrollTop = top;
    }
    return this.show(wanted);
  }

  async show(first) {
    this.wanted = first;
    const answer = await this.ask(this.question(first, SEEN_AT_ONCE), this);
    if (answer.stopped || this.wanted !== first || !this.isVirtual) return;
    this.first = first;
    this.fill(answer.rows);
  }

  pressed(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: SEEN_AT_ONCE - 1, PageUp: 1 - SEEN_AT_ONCE };
    const { key } = event;
    if (event.target !== this.scroll || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key in steps) this.go((this.wanted ?? 0) + steps[key]);
    else if (key === "Home" || key === "End") this.go(key === "Home" ? 0 : this.last);
    else return;
    event.preventDefault();
  }

  /** Whole, as far as paper goes, and back. */
  async forPrint(isOn) {
    await this.ready;
    this.limit = isOn ? MOST_PRINTED : this.mostWhole;
    if (isOn && this.total > MOST_PRINTED) {
      const answer = await this.ask(this.question(0, MOST_PRINTED), this);
      this.first = 0;
      this.fill(answer.rows);
      this.note.textContent = `${this.countText}. ${say("printSome", MOST_PRINTED)}`;
    } else if (this.total > this.mostWhole) await this.refresh();
  }

  told(share) {
    if (this.note) this.note.textContent = say("working", Math.round(share * 100));
  }
}
