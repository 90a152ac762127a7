// --- SPEC.md §5: reading the figures, from bytes that were kept while they were hashed.

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where each record begins, and last where they end. */
function recordStarts(bytes) {
  let count = 0, isQuoted = false;
  const visit = (found) => {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === 0x22) isQuoted = !isQuoted;
      else if (bytes[i] === 0x0a && !isQuoted) found(i + 1);
    }
  };
  visit(() => count++);
  const starts = new Uint32Array(count + 1);
  let place = 0;
  isQuoted = false;
  visit((end) => { starts[++place] = end; });
  return starts;
}

/** A field as it stands: `\N` without quotes is null. */
function unquoted(text) {
  if (text === "\\N") return null;
  return text.startsWith('"') ? text.slice(1, -1).replace(/""/g, '"') : text;
}

/** Fields of the record that stands from one place to another, its line end apart. */
function fieldsOf(bytes, from, to) {
  const fields = [];
  for (let start = from; start <= to;) {
    const end = fieldEnd(bytes, start, to);
    fields.push(unquoted(utf8.decode(bytes.subarray(start, end))));
    start = end + 1;
  }
  return fields;
}

function fieldEnd(bytes, start, to) {
  let isQuoted = false, at = start;
  for (; at < to; at++) {
    if (bytes[at] === 0x22) isQuoted = !isQuoted;
    else if (bytes[at] === 0x2c && !isQuoted) break;
  }
  return at;
}

/** Where a field of a record stands; the others are not read. */
function fieldPlace(bytes, from, to, number) {
  let start = from;
  for (let i = 0; i < number; i++) start = fieldEnd(bytes, start, to) + 1;
  return [start, fieldEnd(bytes, start, to)];
}
