// Runs the checks of verify.html without a browser: node page_driver.mjs verify.html [without-crypto]
// A JSON object {"path", "anchor"} per line in, a result per line out, as verify.mjs --batch; or a {"text"} in, and what
// it is as an anchor and as it is shown out.

import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

const [page, mode] = process.argv.slice(2);
const core = /<script id="core">([^]*?)<\/script>/.exec(readFileSync(page, "utf-8"))[1];
if (mode === "without-crypto") Object.defineProperty(globalThis, "crypto", { value: {} });
const { verify, selfTest, readAnchor, visible } = new Function(`${core}\nreturn { verify, selfTest, readAnchor, visible };`)();
const MOST = 100_001;
const DEEPEST = 18;

/** What a browser's File is to the page: bytes that are read when they are asked for. */
class Opened {
  constructor(path, size) {
    Object.assign(this, { path, size });
  }

  slice(from, to) {
    const { path } = this;
    const end = Math.min(to, this.size);
    return {
      async arrayBuffer() {
        const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        try {
          const bytes = Buffer.alloc(end - from);
          const count = readSync(descriptor, bytes, 0, bytes.length, from);
          return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + count);
        } finally {
          closeSync(descriptor);
        }
      },
    };
  }
}

function shown(name) {
  if (isUtf8(name)) return name.toString();
  return Array.from(name, (byte) =>
    byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

let entries = 0;

function tree(path, name, depth) {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status || !isUtf8(name)) return { kind: "odd", name: shown(name) };
  if (status.isFile()) return { kind: "file", name: shown(name), file: new Opened(path, status.size), ...unread(path) };
  if (!status.isDirectory()) return { kind: "odd", name: shown(name) };
  return { kind: "folder", name: shown(name), ...below(path, depth) };
}

function unread(path) {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    return {};
  } catch (error) {
    return { error: String(error) };
  }
}

function below(path, depth) {
  const children = [];
  if (depth > DEEPEST) return { children };
  try {
    for (const name of readdirSync(path, { encoding: "buffer" })) {
      if (++entries > MOST + 10) break;
      children.push(tree(Buffer.concat([path, Buffer.from("/"), name]), name, depth + 1));
    }
  } catch (error) {
    return { children, error: String(error) };
  }
  return { children };
}

const failed = await selfTest();
if (failed) throw new Error(failed);
for await (const line of createInterface({ input: process.stdin })) {
  const { path, anchor, text } = JSON.parse(line);
  if (text !== undefined) {
    process.stdout.write(`${JSON.stringify({ anchor: readAnchor(text), shown: visible(text) })}\n`);
    continue;
  }
  entries = 0;
  const bare = Buffer.from(path.replace(/(?<=.)(?:\/\.?)+$/s, ""));
  const { answer } = await verify(tree(bare, Buffer.from("given"), 0), anchor ?? null);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
