// --- The folder, however it was given, as what the checks take; and the root, however it comes.

const DEEPEST_LISTED = 19;
const MOST_LISTED = 2_000_000;

/** From a directory input: files alone; the folders are those in their paths. */
function treeOfFiles(files) {
  const root = { kind: "folder", name: "", children: [] };
  const folders = new Map([["", root]]);
  const folderAt = (segments) => {
    const path = segments.join("/");
    if (!folders.has(path)) {
      const made = { kind: "folder", name: segments.at(-1), children: [] };
      folderAt(segments.slice(0, -1)).children.push(made);
      folders.set(path, made);
    }
    return folders.get(path);
  };
  for (const file of files) {
    const [top, ...segments] = file.webkitRelativePath.split("/");
    root.name = top;
    if (segments.length > DEEPEST_LISTED) segments.length = DEEPEST_LISTED; // too deep is told by the checks
    folderAt(segments.slice(0, -1)).children.push({ kind: "file", name: segments.at(-1), file });
  }
  return root;
}

/** What was dropped, one item: to a page from the disk Chromium gives no entries any more, but it has handles. */
function droppedOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  if (items.length !== 1) return null;
  const entry = items[0].webkitGetAsEntry();
  return items[0].getAsFileSystemHandle?.().catch(() => entry) ?? entry;
}

const fileOf = (item) => (item.getFile ? item.getFile() : new Promise((found, failed) => { item.file(found, failed); }));

/** What a folder that was dropped holds, a piece at a time. */
async function* childrenOf(item) {
  if (item.values) {
    yield* item.values();
    return;
  }
  const reader = item.createReader();
  for (;;) {
    const some = await new Promise((found, failed) => { reader.readEntries(found, failed); });
    if (!some.length) return;
    yield* some;
  }
}

/** What was dropped, as the checks take it. */
async function treeOfDropped(dropped) {
  let count = 0;
  const visit = async (item, depth) => {
    const { name } = item;
    if (item.isFile || item.kind === "file") {
      try {
        return { kind: "file", name, file: await fileOf(item) };
      } catch (error) {
        return { kind: "file", name, error: String(error) };
      }
    }
    const folder = { kind: "folder", name, children: [] };
    if (depth >= DEEPEST_LISTED) return folder;
    try {
      for await (const child of childrenOf(item)) {
        if (++count > MOST_LISTED) break;
        folder.children.push(await visit(child, depth + 1));
      }
    } catch (error) {
      folder.error = String(error);
    }
    return folder;
  };
  return visit(dropped, 0);
}

function countOf(node) {
  if (node.kind !== "folder") return [1, node.file?.size ?? 0];
  return node.children.map(countOf).reduce(([files, bytes], [more, size]) => [files + more, bytes + size], [0, 0]);
}

/** What is wrong with a root as typed so far, or that it is whole. */
function judgeRoot(text) {
  const digits = small(text.replace(BLANKS, ""));
  if (!digits) return ["none", say("rootNone")];
  const odd = digits.replace(/[0-9a-f]/g, "");
  if (odd) return ["wrong", say("rootOdd", visible([...new Set(odd)].slice(0, 5).join(" ")))];
  if (digits.length > 64) return ["wrong", say("rootLong", digits.length, digits.length - 64)];
  return digits.length < 64 ? ["short", say("rootShort", digits.length)] : ["good", say("rootGood")];
}

/** The root in a QR code of a signed page: `format release root`. */
function rootInCode(text) {
  return /(?:^|\s)([0-9a-f]{64})\s*$/.exec(text)?.[1] ?? null;
}

class Scanner {
  static isThere() {
    return "BarcodeDetector" in globalThis && Boolean(navigator.mediaDevices?.getUserMedia);
  }

  /** Look through the camera until a root is seen (given back) or it is stopped (null). */
  async scan(video) {
    this.isStopped = false;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = this.stream;
    await video.play();
    try {
      while (!this.isStopped) {
        const found = await detector.detect(video).catch(() => []);
        const root = found.map((code) => rootInCode(code.rawValue)).find(Boolean);
        if (root) return root;
        await new Promise((go) => { setTimeout(go, 150); });
      }
      return null;
    } finally {
      this.stop();
    }
  }

  stop() {
    this.isStopped = true;
    this.stream?.getTracks().forEach((track) => track.stop());
  }
}
