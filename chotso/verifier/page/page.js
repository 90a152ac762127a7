// --- The page: three steps, a verdict, and then the figures.

const textOf = (id) => document.getElementById(id).textContent;

class Page {
  constructor() {
    this.app = document.getElementById("app");
    this.rootText = "";
    this.run = 0;
    this.states = {};
    this.scanner = new Scanner();
    this.engage();
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.dropped(event));
    this.render();
  }

  /** A worker that knows nothing yet; what another one was doing ends. */
  engage() {
    this.worker?.terminate();
    const source = new Blob([textOf("core"), textOf("worker")], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(source));
    this.asker = new Asker(this.worker);
    this.worker.addEventListener("message", ({ data }) => this.heard(data));
    this.worker.addEventListener("error", (event) => this.heard({ kind: "broken", problem: event.message }));
    this.isChecking = false;
  }

  render() {
    document.documentElement.lang = LANGUAGES[language];
    document.title = say("title");
    this.live = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.progress = h("div", { class: "progress" });
    this.result = h("div", { id: "result" });
    const languages = h("div", { class: "languages", role: "group", "aria-label": say("language") },
      ["Tiếng Việt", "English"].map((name, place) => h("button", {
        type: "button", lang: LANGUAGES[place], "aria-pressed": String(place === language), id: `language-${LANGUAGES[place]}`,
        onclick: () => this.speak(place),
      }, name)));
    this.app.replaceChildren(
      h("header", {}, h("div", {}, h("h1", {}, say("title")), h("p", { class: "lead" }, say("lead"))), languages),
      h("main", {}, h("p", { class: "own" }, say("own")), this.steps(), this.live, this.progress, this.result));
    this.tellFolder();
    this.tellRoot();
    if (this.done) this.showResult(false);
  }

  speak(place) {
    language = place;
    this.render();
    document.getElementById(`language-${LANGUAGES[place]}`).focus();
  }

  steps() {
    const input = h("input", { type: "file", id: "folder", class: "unseen", webkitdirectory: true, multiple: true,
      onchange: () => {
        if (input.files.length) this.given(treeOfFiles(input.files));
      } });
    this.folderNote = h("p", { class: "note", role: "status" });
    this.rootInput = h("textarea", { id: "root", rows: "2", spellcheck: "false", autocapitalize: "off", autocomplete: "off",
      "aria-describedby": "root-help root-note", oninput: () => {
        this.rootText = this.rootInput.value;
        this.forget();
        this.tellRoot();
      } });
    this.rootInput.value = this.rootText;
    this.rootNote = h("p", { class: "note", id: "root-note", role: "status" });
    this.checkNote = h("p", { class: "note", role: "alert" });
    return h("form", { class: "steps", onsubmit: (event) => {
      event.preventDefault();
      this.check();
    } },
      h("fieldset", { class: "drop" }, h("legend", {}, say("stepFolder")),
        input, h("label", { for: "folder", class: "button" }, say("chooseFolder")), " ", h("span", {}, say("dropHere")),
        h("p", { class: "quiet" }, say("folderHelp")), this.folderNote),
      h("fieldset", {}, h("legend", {}, h("label", { for: "root" }, say("stepRoot"))),
        this.rootInput, h("p", { class: "quiet", id: "root-help" }, say("rootHelp")), this.rootNote, this.scanPart()),
      h("fieldset", {}, h("legend", {}, say("stepCheck")),
        h("button", { type: "submit", class: "button main", id: "check" }, say("check")), this.checkNote));
  }

  scanPart() {
    if (!Scanner.isThere()) return h("p", { class: "quiet" }, say("scanNone"));
    const video = h("video", { class: "camera", hidden: true, muted: true, playsinline: true });
    const note = h("p", { class: "note", role: "status" });
    const button = h("button", { type: "button", class: "plain", id: "scan", onclick: async () => {
      if (!video.hidden) return this.scanner.stop();
      video.hidden = false;
      button.textContent = say("scanStop");
      note.textContent = say("scanning");
      let words = "";
      try {
        const root = await this.scanner.scan(video);
        if (root) {
          this.rootText = this.rootInput.value = inFours(root);
          this.forget();
          words = say("scanDone");
          this.tellRoot();
        }
      } catch {
        words = say("scanRefused");
      }
      video.hidden = true;
      button.textContent = say("scan");
      note.textContent = words;
      return undefined;
    } }, say("scan"));
    return h("div", {}, button, video, note);
  }

  async dropped(event) {
    event.preventDefault();
    const dropped = await droppedOf(event.dataTransfer);
    if (!dropped) {
      this.folderNote.textContent = say("oneFolder");
      return;
    }
    this.folderNote.textContent = say("reading");
    this.given(await treeOfDropped(dropped));
  }

  given(folder) {
    this.folder = folder;
    this.counted = countOf(folder);
    this.forget();
    this.tellFolder();
  }

  /** A verdict is of the folder and root that were given, no others. */
  forget() {
    this.run++;
    this.done = null;
    this.result.replaceChildren();
    this.progress.replaceChildren();
  }

  tellFolder() {
    if (!this.folder) return;
    const [files, bytes] = this.counted;
    this.folderNote.textContent = say("chosen", visible(this.folder.name), rounded(String(files), 0), size(bytes));
  }

  tellRoot() {
    const [kind, words] = judgeRoot(this.rootText);
    this.rootNote.textContent = words;
    this.rootNote.className = `note ${kind}`;
    this.rootInput.setAttribute("aria-invalid", String(kind === "wrong"));
  }

  check() {
    const anchor = readAnchor(this.rootText);
    if (!this.folder) this.checkNote.textContent = say("needFolder");
    else if (anchor === null && this.rootText.replace(BLANKS, "") !== "") {
      this.checkNote.textContent = judgeRoot(this.rootText)[1];
      this.rootInput.focus();
    } else {
      this.checkNote.textContent = "";
      if (this.isChecking) this.engage();
      this.forget();
      this.isChecking = true;
      this.toldQuarter = -1;
      this.worker.postMessage({ kind: "check", run: this.run, folder: this.folder, anchor });
    }
  }

  heard(data) {
    const isOfThis = data.run === this.run; // folder and root are still those that were checked
    if (data.kind === "progress" && isOfThis) this.showProgress(data);
    else if (data.kind === "result") this.isChecking = false;
    if (data.kind === "result" && isOfThis) {
      this.done = data;
      this.states = {};
      this.showResult(true);
    } else if (data.kind === "unsound" || data.kind === "broken") {
      this.isChecking = false;
      this.progress.replaceChildren();
      this.checkNote.textContent = say(data.kind, visible(data.problem));
    }
  }

  showProgress({ path, done, total }) {
    const share = total ? Math.floor((done / total) * 100) : 100;
    if (!this.progress.firstChild) {
      this.bar = h("progress", { max: "100", "aria-label": say("stepCheck") });
      this.barNote = h("p", { class: "note" });
      this.progress.replaceChildren(this.bar, this.barNote);
    }
    this.bar.value = share;
    this.barNote.textContent = `${say("checking", share)} – ${say("checkingPath", size(done), size(total), path)}`;
    const quarter = Math.floor(share / 25);
    if (quarter > this.toldQuarter) this.live.textContent = say("checking", share);
    this.toldQuarter = quarter;
  }

  showResult(isNew) {
    const { answer, releases } = this.done;
    this.progress.replaceChildren();
    const verdict = verdictOf(this.done, this.folder.name);
    this.result.replaceChildren(verdict);
    if (isNew) {
      this.live.textContent = `${say(answer.status)}. ${say(`${answer.status}Lead`, answer.findings.length)}`;
      verdict.querySelector("h2").focus();
    }
    if (!releases.length) return;
    this.shownRoot = releases.some((each) => each.root === this.shownRoot) && !isNew ? this.shownRoot : answer.root;
    const place = h("div");
    if (releases.length > 1) this.result.append(this.releaseChoice(releases, answer.root, place));
    this.result.append(place);
    this.showRelease(place);
  }

  releaseChoice(releases, newest, place) {
    const select = h("select", { onchange: () => {
      this.shownRoot = select.value;
      this.showRelease(place);
    } }, releases.map((each) => h("option", { value: each.root },
      each.root === newest ? say("newest", each.release_id) : each.release_id)));
    select.value = this.shownRoot;
    return h("label", { class: "field releases" }, h("span", {}, say("otherRelease")), select);
  }

  async showRelease(place) {
    const release = this.done.releases.find((each) => each.root === this.shownRoot);
    const view = new ReleaseView(this.asker, release, this.states);
    await view.readNames();
    const name = this.done.releases.length > 1 ? h("p", { class: "name" }, `${release.release_id} – ${labelOf("kind", release.kind)}`) : null;
    place.replaceChildren(...[name, view.tabs()].filter(Boolean));
  }
}

new Page();
