// --- The page's worker: checks, keeps the verified bytes, and answers what is asked of them.

const MOST_KEPT = 1 << 29; // bytes of figures
const tables = new Map(); // by release and file
let kept = new Map();
let newestQuestion = new Map();

const breathe = (shown) => async (share) => {
  shown?.(share);
  await new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = go;
    port2.postMessage(null);
  });
};

function totalOf(folder) {
  if (folder.kind === "file") return folder.file?.size ?? 0;
  return (folder.children ?? []).reduce((sum, child) => sum + totalOf(child), 0);
}

/** Check a folder; only of a release that is verified the figures stay here. */
async function check({ run, folder, anchor }) {
  kept = new Map();
  tables.clear();
  const problem = await selfTest();
  if (problem) return postMessage({ kind: "unsound", problem });
  const total = totalOf(folder);
  let done = 0, room = MOST_KEPT, told = 0;
  const watch = (release, path, size) => {
    const isFigures = /^data\/.*\.csv$/.test(path) && size <= room;
    const copy = isFigures ? new Uint8Array(size) : null;
    if (copy) {
      room -= size;
      kept.set(release, (kept.get(release) ?? new Map()).set(path, copy));
    }
    postMessage({ kind: "progress", run, path, done, total });
    return (bytes, at) => {
      copy?.set(bytes, at);
      done += bytes.length;
      if (performance.now() - told < 50) return;
      told = performance.now();
      postMessage({ kind: "progress", run, path, done, total });
    };
  };
  const begun = performance.now();
  const { answer, releases } = await verify(folder, anchor, watch);
  const isShown = answer.status === "verified";
  const figures = isShown ? releases.map((release) => factsOf(release)) : [];
  kept = new Map(isShown ? releases.map((release) => [release.root, kept.get(release) ?? new Map()]) : []);
  const seconds = (performance.now() - begun) / 1000;
  return postMessage({ kind: "result", run, answer, releases: figures, seconds, crypto: subtle !== null, bytes: total });
}

/** What of a release is shown beside its tables: plain values, all of them from the manifest. */
function factsOf(release) {
  const plain = (value) => {
    if (Array.isArray(value)) return value.map(plain);
    return isObject(value) ? Object.fromEntries([...value].map(([key, each]) => [key, plain(each)])) : value;
  };
  const { root, certifications } = release;
  const manifest = Object.fromEntries(
    ["release_id", "period_id", "kind", "corrects", "correction", "previous_root", "cutoff_at", "as_known_at",
      "business_date", "data_root", "files", "signers", "code"].map((key) => [key, plain(release.manifest.get(key)) ?? null]),
  );
  const held = [...(kept.get(release)?.keys() ?? [])];
  return { ...manifest, root, certifications, held };
}

function tableOf(root, path) {
  const key = `${root} ${path}`;
  if (!tables.has(key)) tables.set(key, new Table(kept.get(root).get(path)));
  return tables.get(key);
}

/** Rows of a table, or a column's values; a newer question of the same asker ends an older one. */
async function answerQuestion(question) {
  const { id, asker, root, path } = question;
  newestQuestion.set(asker, id);
  const breath = breathe((share) => {
    if (newestQuestion.get(asker) !== id) throw new Stopped();
    if (share > 0) postMessage({ kind: "share", asker, share });
  });
  try {
    const table = tableOf(root, path);
    if (question.choices) {
      const choices = {};
      for (const name of question.choices) choices[name] = await table.choices(name, breath);
      return postMessage({ kind: "answer", id, columns: table.columns, count: table.count, choices });
    }
    const rows = await table.view(question, breath);
    const some = Array.from(rows.subarray(question.from, question.from + question.count), (row) => table.row(row));
    return postMessage({ kind: "answer", id, total: rows.length, rows: some });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    return postMessage({ kind: "answer", id, stopped: true });
  }
}

addEventListener("message", ({ data }) => {
  const work = data.kind === "check" ? check(data) : answerQuestion(data);
  work.catch((error) => postMessage({ kind: "broken", problem: String(error) }));
});
