// --- A table of a verified release: filtered, sorted, and given in pieces.

const BREATH = 20_000; // rows between two looks at what else is asked
const MOST_CHOICES = 400;

/** Without marks and case, so that `tan bien` finds Tân Biên. */
function folded(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase();
}

const collator = new Intl.Collator("vi", { numeric: true });
const NUMERIC = /^-?[0-9]+(\.[0-9]+)?$/;

function compareValues(areNumbers) {
  return (one, two) => {
    if (one === null || two === null) return one === two ? 0 : one === null ? 1 : -1;
    return (areNumbers ? Number(one) - Number(two) : collator.compare(one, two)) || compareText(one, two);
  };
}

class Stopped extends Error {}

class Table {
  constructor(bytes) {
    this.bytes = bytes;
    this.starts = recordStarts(bytes);
    this.count = Math.max(this.starts.length - 2, 0);
    this.columns = this.starts.length > 1 ? fieldsOf(bytes, 0, this.starts[1] - 1) : [];
    this.coded = new Map();
    this.views = new Map();
  }

  row(number) {
    return fieldsOf(this.bytes, this.starts[number + 1], this.starts[number + 2] - 1);
  }

  /** A column's distinct values, and for each row which one it is. */
  async column(name, breathe) {
    if (this.coded.has(name)) return this.coded.get(name);
    const place = this.columns.indexOf(name);
    const codes = new Uint32Array(this.count), known = new Map();
    let [before, length] = [0, -1]; // where the field of the row before stands: many repeat it
    for (let row = 0; row < this.count; row++) {
      if (row % BREATH === 0) await breathe(row / this.count);
      const [from, to] = fieldPlace(this.bytes, this.starts[row + 1], this.starts[row + 2] - 1, place);
      if (to - from === length && this.areSame(before, from, length)) codes[row] = codes[row - 1];
      else {
        const value = unquoted(utf8.decode(this.bytes.subarray(from, to)));
        if (!known.has(value)) known.set(value, known.size);
        codes[row] = known.get(value);
      }
      [before, length] = [from, to - from];
    }
    const found = { codes, values: [...known.keys()] };
    this.coded.set(name, found);
    return found;
  }

  areSame(one, two, length) {
    for (let i = 0; i < length; i++) if (this.bytes[one + i] !== this.bytes[two + i]) return false;
    return true;
  }

  /** Distinct values to choose from, in order; null where they are too many. */
  async choices(name, breathe) {
    if (!this.columns.includes(name)) return null;
    const { values } = await this.column(name, breathe);
    if (values.length > MOST_CHOICES) return null;
    return [...values].sort(compareValues(values.every((value) => value === null || NUMERIC.test(value))));
  }

  /** Numbers of the rows that a question asks for, in its order. */
  async view({ search, filters, sort }, breathe) {
    const key = JSON.stringify([search, filters, sort]);
    if (this.views.has(key)) return this.views.get(key);
    const found = await this.sorted(await this.filtered(search, filters, breathe), sort, breathe);
    if (this.views.size > 3) this.views.delete(this.views.keys().next().value);
    this.views.set(key, found);
    return found;
  }

  async filtered(search, filters, breathe) {
    const wanted = [];
    for (const [name, value] of Object.entries(filters)) {
      if (!this.columns.includes(name)) continue;
      const { codes, values } = await this.column(name, breathe);
      wanted.push([codes, values.indexOf(value)]);
    }
    const words = folded(search).split(/\s+/).filter(Boolean);
    const rows = new Uint32Array(this.count);
    let count = 0;
    for (let row = 0; row < this.count; row++) {
      if (row % BREATH === 0) await breathe(row / this.count);
      if (wanted.some(([codes, code]) => codes[row] !== code)) continue;
      if (words.length && !this.holds(row, words)) continue;
      rows[count++] = row;
    }
    return rows.subarray(0, count);
  }

  holds(row, words) {
    const text = folded(utf8.decode(this.bytes.subarray(this.starts[row + 1], this.starts[row + 2])));
    return words.every((word) => text.includes(word));
  }

  /** By a column's values, rows of one value as they stand; nulls come last either way. */
  async sorted(rows, sort, breathe) {
    if (!sort || !this.columns.includes(sort.column)) return rows;
    const { codes, values } = await this.column(sort.column, breathe);
    const areNumbers = values.every((value) => value === null || NUMERIC.test(value));
    const compare = compareValues(areNumbers);
    const order = values.map((_, code) => code).sort((one, two) => {
      const [a, b] = [values[one], values[two]];
      return sort.descending && a !== null && b !== null ? compare(b, a) : compare(a, b);
    });
    const places = new Uint32Array(values.length + 1);
    const rank = new Uint32Array(values.length);
    order.forEach((code, place) => { rank[code] = place; });
    for (const row of rows) places[rank[codes[row]] + 1]++;
    for (let i = 0; i < values.length; i++) places[i + 1] += places[i];
    const found = new Uint32Array(rows.length);
    for (const row of rows) found[places[rank[codes[row]]]++] = row;
    return found;
  }
}
