// --- SPEC.md §2: canonical JSON. Objects become Maps, so that no key has a meaning of its own.

class Unreadable extends Error {}

const LARGEST_STRING = 65_536;
const DEEPEST = 64;
const isText = (value) => typeof value === "string";
const isObject = (value) => value instanceof Map;
const isCount = (value) => typeof value === "number" && value >= 0;

/** Ascending order of code points. Half a pair stands for a character beyond all that have none. */
function compareText(one, two) {
  const length = Math.min(one.length, two.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [one.charCodeAt(i), two.charCodeAt(i)];
    if (a !== b) return (isHalf(a) ? a + 0x10000 : a) - (isHalf(b) ? b + 0x10000 : b);
  }
  return one.length - two.length;
}

const isHalf = (unit) => unit >= 0xd800 && unit <= 0xdfff;

/** Matches what Unicode 14.0 does not know (§13), and an unpaired surrogate. */
const UNASSIGNED = new RegExp(
  `[^${ASSIGNED.trim().split(/\s+/).map((range) => range.split("-").map((end) => `\\u{${end}}`).join("-")).join("")}]`,
  "u",
);

const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]|[eE][+-]?[0-9])?/y;
const BLANK = /[ \t\n\r]*/y;
const LITERALS = [["true", true], ["false", false], ["null", null]];

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.isNormal = true;
  }

  whole() {
    const value = this.value(0);
    this.blank();
    if (this.at < this.text.length) throw new Unreadable("something after the end");
    return value;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  blank() {
    this.match(BLANK);
  }

  takes(character) {
    this.blank();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  value(depth) {
    this.blank();
    const next = this.text[this.at];
    if (next === '"') return this.string();
    if (next === "{" || next === "[") {
      if (depth === DEEPEST) throw new Unreadable("too many within one another");
      this.at++;
      return next === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  number() {
    const found = this.match(NUMBER);
    if (!found || found[2]) throw new Unreadable("no JSON, or a fraction");
    const value = Number(found[1]);
    if (!Number.isSafeInteger(value)) throw new Unreadable("a number beyond 2^53-1");
    return value;
  }

  array(depth) {
    const found = [];
    if (this.takes("]")) return found;
    do found.push(this.value(depth));
    while (this.takes(","));
    if (!this.takes("]")) throw new Unreadable("an array that does not end");
    return found;
  }

  object(depth) {
    const found = new Map();
    if (this.takes("}")) return found;
    do {
      this.blank();
      if (this.text[this.at] !== '"') throw new Unreadable("no key");
      const key = this.string();
      if (found.has(key)) throw new Unreadable("a key twice");
      if (!this.takes(":")) throw new Unreadable("a key without a value");
      found.set(key, this.value(depth));
    } while (this.takes(","));
    if (!this.takes("}")) throw new Unreadable("an object that does not end");
    return found;
  }

  string() {
    this.at++;
    const parts = [];
    let length = 0;
    for (;;) {
      const [plain] = this.match(PLAIN);
      parts.push(plain);
      length += plain.length;
      const end = this.text[this.at++];
      if (end === '"') break;
      if (end !== "\\" || length > LARGEST_STRING) throw new Unreadable("a string that does not end or is too long");
      parts.push(this.escape());
      length++;
    }
    return this.judged(parts.join(""));
  }

  escape() {
    const letter = this.text[this.at++];
    if (letter !== "u") {
      if (!Object.hasOwn(ESCAPES, letter ?? "")) throw new Unreadable("an escape that JSON has not");
      return ESCAPES[letter];
    }
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Unreadable("an escape that JSON has not");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  judged(text) {
    if (text.length > LARGEST_STRING) throw new Unreadable("too long a string");
    if (/^[\0-\x7f]*$/.test(text)) return text;
    if (UNASSIGNED.test(text)) throw new Unreadable("a character that Unicode 14.0 does not know");
    if (toUtf8(text).length > LARGEST_STRING) throw new Unreadable("too long a string");
    this.isNormal = this.isNormal && text.normalize("NFC") === text;
    return text;
  }
}

/** The canonical form of what is in NFC; JSON.stringify escapes in strings exactly what §2 wants. */
function spelled(value) {
  if (Array.isArray(value)) return `[${value.map(spelled).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = [...value.keys()].sort(compareText);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${spelled(value.get(key))}`).join(",")}}`;
}

/** What bytes say, and whether they are its canonical form; throws `Unreadable`. */
function readJson(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unreadable("not UTF-8");
  }
  const reader = new JsonReader(text);
  const value = reader.whole();
  return { value, isCanonical: reader.isNormal && `${spelled(value)}\n` === text };
}
