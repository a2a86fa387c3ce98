/** A toy engine: texts, views, a list of changes per file. In memory, one person, no merging. */
import type { ApiError, Author, ChatMessage, DeletedFile, Entry, Event, LogRecord, MomentInfo, NamedMoment, Reply, Request, Scope, Splice } from "../api/generated";

interface File {
  id: string;
  text: string;
  start: string;
  steps: Step[];
}

interface Step {
  at_ms: number;
  path: string;
  splices: Splice[];
  isUndo: boolean;
}

interface View {
  id: number;
  path: string | null;
  file: File;
  revision: number;
}

const ME: Author = { id: "asha", name: "Asha", initials: "AS", color: 0 };

export class FakeEngine {
  readonly #files = new Map<string, File>();
  readonly #folders = new Set<string>();
  readonly #views = new Map<number, View>();
  readonly #state = new Map<string, string>();
  #all: Step[] = [];
  #deleted: { path: string; file: File; at_ms: number }[] = [];
  #named: NamedMoment[] = [];
  /** What takes a whole act back, by the act's id. */
  readonly #groups = new Map<string, () => string[]>();
  #lastId = 0;
  #messages: ChatMessage[] = [];

  constructor(
    files: Record<string, string>,
    private readonly tell: (event: Event) => void,
    private readonly now: () => number = Date.now,
  ) {
    for (const [path, text] of Object.entries(files)) this.#create(path, text);
    this.#seedHistory();
  }

  /** Some past to look at: every line was typed, with pauses. */
  #seedHistory(): void {
    let at_ms = this.now() - 3_600_000;
    for (const [path, file] of this.#files) {
      const lines = file.text.split(/(?<=\n)/);
      file.start = "";
      let position = 0;
      for (const line of lines) {
        at_ms += 2_500 + (line.length * 977) % 9_000;
        const step: Step = { at_ms, path, splices: [[position, 0, line]], isUndo: false };
        position += line.length;
        file.steps.push(step);
        this.#all.push(step);
      }
      at_ms += 120_000;
    }
  }

  #create(path: string, text: string): File {
    this.#lastId += 1;
    const file: File = { id: `f${this.#lastId}`, text, start: text, steps: [] };
    this.#files.set(path, file);
    const parts = path.split("/").slice(0, -1);
    parts.forEach((_, index) => this.#folders.add(parts.slice(0, index + 1).join("/")));
    return file;
  }

  texts(): [string, string][] {
    return [...this.#files].map(([path, file]) => [path, file.text]);
  }

  replaceTexts(texts: readonly [string, string][]): string {
    const before = texts.map(([path]): [string, string] => [path, this.#file(path).text]);
    const put = ([path, text]: [string, string]): void => this.#change(path, [[0, this.#file(path).text.length, text]], false);
    for (const one of texts) put([...one]);
    this.#lastId += 1;
    const groupId = `g${this.#lastId}`;
    this.#groups.set(groupId, () => {
      before.forEach(put);
      return texts.map(([path]) => path);
    });
    return groupId;
  }

  answer(request: Request): Reply {
    switch (request.cmd) {
      case "status":
        return { reply: "status", value: this.#status() };
      case "getState":
        return { reply: "state", value: { value: this.#state.get(request.args.key) ?? null } };
      case "putState":
        this.#state.set(request.args.key, request.args.value);
        return { reply: "done" };
      case "listFolder":
        return { reply: "folder", value: { entries: this.#list(request.args.path) } };
      case "listFiles":
        return { reply: "files", value: { paths: [...this.#files.keys()].sort() } };
      case "listDeleted":
        return { reply: "deleted", value: { files: this.#listDeleted() } };
      default:
        return this.#answerFiles(request);
    }
  }

  #answerFiles(request: Request): Reply {
    switch (request.cmd) {
      case "createFile":
        if (this.#files.has(request.args.path)) throw refusal("exists", "There is a file of that name already.");
        this.#create(request.args.path, request.args.text);
        this.#treeChanged();
        return { reply: "done" };
      case "createFolder":
        this.#folders.add(request.args.path);
        this.#treeChanged();
        return { reply: "done" };
      case "rename":
        this.#rename(request.args.from, request.args.to);
        return { reply: "done" };
      case "delete":
        return { reply: "restored", value: this.#delete(request.args.path) };
      case "moveToTrash":
        return { reply: "trashed", value: { groupId: this.#delete(request.args.path).groupId, inTrash: true } };
      case "undoGroup":
        return { reply: "undone", value: this.#undoGroup(request.args.groupId) };
      case "duplicate":
        this.#create(request.args.to, this.#file(request.args.path).text);
        this.#treeChanged();
        return { reply: "done" };
      case "undelete":
        this.#undelete(request.args.fileId);
        return { reply: "done" };
      default:
        return this.#answerEditing(request);
    }
  }

  #answerEditing(request: Request): Reply {
    switch (request.cmd) {
      case "openView":
        return { reply: "view", value: this.#openView(request.args.path) };
      case "closeView":
        this.#views.delete(request.args.viewId);
        return { reply: "done" };
      case "editView":
        this.#edit(request.args.viewId, request.args.edit.splices, request.args.edit.requestId);
        return { reply: "done" };
      case "resyncView":
        this.#snapshot(request.args.viewId);
        return { reply: "done" };
      case "undo":
        return { reply: "undone", value: this.#undo(request.args.viewId) };
      case "redo":
        return { reply: "undone", value: { kind: "nothingToUndo", caret: null, message: "Nothing to redo.", paths: [], groupId: null } };
      case "editFile":
        this.#change(request.args.path, request.args.edits, false);
        return { reply: "edited", value: { nApplied: request.args.edits.length } };
      default:
        return this.#answerHistory(request);
    }
  }

  #answerHistory(request: Request): Reply {
    switch (request.cmd) {
      case "timeline": {
        const steps = this.#steps(request.args.scope);
        return {
          reply: "timeline",
          value: { nMoments: steps.length, firstMs: steps[0]?.at_ms ?? null, lastMs: steps.at(-1)?.at_ms ?? null, authors: [ME], gaps: gaps(steps), named: this.#named },
        };
      }
      case "histogram":
        return { reply: "histogram", value: { buckets: buckets(this.#steps(request.args.scope), request.args.from, request.args.to, request.args.nBuckets) } };
      case "momentInfo":
        return { reply: "moment", value: this.#moment(request.args.scope, request.args.index) };
      case "stepMoment": {
        const { scope, index, unit, direction } = request.args;
        const n = this.#steps(scope).length;
        const by = unit === "page" ? Math.ceil(n / 10) : unit === "end" ? n : 1;
        const to = Math.max(0, Math.min(n, index + (direction === "back" ? -by : by)));
        return { reply: "moment", value: this.#moment(scope, to) };
      }
      case "textAt": {
        const { path, scope, index } = request.args;
        const text = this.#textAt(path, scope, index);
        return { reply: "text", value: { index, text, splices: null, exists: true, path, moment: this.#moment(scope, index) } } as Reply;
      }
      case "nameMoment": {
        const index = this.#all.length;
        const named: NamedMoment = { deltaId: `d${index}`, name: request.args.name, note: request.args.note, automatic: false, atMs: this.now(), author: "Asha", index };
        this.#named = [...this.#named, named];
        this.tell({ event: "momentNamed", data: named });
        return { reply: "done" };
      }
      case "moments":
        return { reply: "moments", value: { moments: this.#named } };
      case "log": {
        const { path, author } = request.args.query;
        const steps = this.#all.filter((step) => (path === null || step.path === path) && (author === null || author === "Asha"));
        return { reply: "log", value: { records: steps.slice(-40).reverse().map((step) => this.#record(step)), next: null } };
      }
      case "listMessages":
        return { reply: "messages", value: { messages: this.#messages, hasMore: false } };
      case "sendMessage": {
        const message: ChatMessage = {
          deltaId: `m${this.#messages.length + 1}`, device: "d", person: "Asha", color: 0, isSelf: true, atMs: this.now(), text: request.args.text, link: request.args.link,
        };
        this.#messages = [...this.#messages, message];
        this.tell({ event: "message", data: message });
        return { reply: "done" };
      }
      case "whileAway":
        return { reply: "away", value: { away: null } };
      case "merged":
        return { reply: "merged", value: { merged: null } };
      case "findInHistory":
        return { reply: "found", value: { hits: [], truncated: false } };
      default:
        return { reply: "done" };
    }
  }

  #status(): Extract<Reply, { reply: "status" }>["value"] {
    const save = { kind: "saved", savedMs: this.now(), nUnwritten: 0, message: null } as const;
    return {
      apiVersion: 1, appVersion: "0.1.0", root: "/home/asha/src/parser-lab", name: "parser-lab", projectId: "p", deviceId: "d", person: "Asha",
      nFiles: this.#files.size, nDeltas: this.#all.length, nMoments: this.#all.length, historyBytes: 0, save, nIgnored: 0, refused: [],
      waitingForSave: [],
    };
  }

  #file(path: string): File {
    const file = this.#files.get(path);
    if (file === undefined) throw refusal("notFound", `“${path}” is not in this workspace.`);
    return file;
  }

  #list(folder: string): Entry[] {
    const prefix = folder === "" ? "" : `${folder}/`;
    const inside = (path: string): boolean => path.startsWith(prefix) && path !== folder && !path.slice(prefix.length).includes("/");
    const entry = (path: string, kind: Entry["kind"], fileId: string | null): Entry => ({
      name: path.slice(prefix.length), path, kind, fileId, executable: false, ignored: false, change: null,
    });
    return [
      ...[...this.#folders].filter(inside).map((path) => entry(path, "folder", null)),
      ...[...this.#files].filter(([path]) => inside(path)).map(([path, file]) => entry(path, "text", file.id)),
    ];
  }

  #listDeleted(): DeletedFile[] {
    return this.#deleted
      .map(({ path, file, at_ms }) => ({ fileId: file.id, path, deletedMs: at_ms, author: "Asha", indexBefore: this.#all.length }))
      .reverse();
  }

  #treeChanged(): void {
    this.tell({ event: "treeChanged", data: { folders: ["", ...this.#folders] } });
  }

  #rename(from: string, to: string): void {
    for (const [path, file] of [...this.#files]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      const next = to + path.slice(from.length);
      this.#files.delete(path);
      this.#files.set(next, file);
      for (const view of this.#views.values()) if (view.file === file) this.#moveView(view, next);
    }
    for (const folder of [...this.#folders]) {
      if (folder !== from && !folder.startsWith(`${from}/`)) continue;
      this.#folders.delete(folder);
      this.#folders.add(to + folder.slice(from.length));
    }
    this.#treeChanged();
  }

  #moveView(view: View, path: string | null): void {
    view.path = path;
    this.tell({ event: "viewMoved", data: { viewId: view.id, path } });
  }

  #delete(target: string): Extract<Reply, { reply: "restored" }>["value"] {
    const inside = (path: string): boolean => path === target || path.startsWith(`${target}/`);
    const gone = [...this.#files].filter(([path]) => inside(path));
    const folders = [...this.#folders].filter(inside);
    for (const [path, file] of gone) {
      this.#files.delete(path);
      this.#deleted.push({ path, file, at_ms: this.now() });
      for (const view of this.#views.values()) if (view.file === file) this.#moveView(view, null);
    }
    for (const folder of folders) this.#folders.delete(folder);
    this.#treeChanged();
    this.#lastId += 1;
    const groupId = `g${this.#lastId}`;
    this.#groups.set(groupId, () => {
      for (const folder of folders) this.#folders.add(folder);
      for (const [, file] of gone) this.#undelete(file.id);
      this.#treeChanged();
      return gone.map(([path]) => path);
    });
    return { groupId, sentence: "", nFiles: gone.length, paths: gone.map(([path]) => path) };
  }

  #undoGroup(groupId: string): Extract<Reply, { reply: "undone" }>["value"] {
    const undo = this.#groups.get(groupId);
    if (undo === undefined) return { kind: "nothingToUndo", caret: null, message: "Nothing to undo.", paths: [], groupId: null };
    this.#groups.delete(groupId);
    return { kind: "applied", caret: null, message: null, paths: undo(), groupId: null };
  }

  #undelete(fileId: string): void {
    const found = this.#deleted.find((one) => one.file.id === fileId);
    if (found === undefined) throw refusal("notFound", "This file could not be found in history.");
    this.#deleted = this.#deleted.filter((one) => one !== found);
    this.#create(found.path, "");
    this.#files.set(found.path, found.file);
    for (const view of this.#views.values()) if (view.file === found.file) this.#moveView(view, found.path);
    this.#treeChanged();
  }

  #openView(path: string): Extract<Reply, { reply: "view" }>["value"] {
    const file = this.#file(path);
    this.#lastId += 1;
    const view: View = { id: this.#lastId, path, file, revision: 0 };
    this.#views.set(view.id, view);
    return {
      viewId: view.id, fileId: file.id, path, revision: 0, text: file.text, encoding: "UTF-8", byteOrderMark: false, lineEnd: "lf", mixedLineEnds: false, readOnly: null,
      sizeBytes: file.text.length, nMoments: file.steps.length,
    };
  }

  #edit(viewId: number, splices: Splice[], requestId: number): void {
    const view = this.#views.get(viewId);
    if (view === undefined) throw refusal("notFound", "This view is closed.");
    view.revision += 1;
    this.tell({ event: "viewAck", data: { viewId, requestId, revision: view.revision } });
    this.#change(this.#pathOf(view.file), splices, false, view);
  }

  #pathOf(file: File): string {
    return [...this.#files].find(([, one]) => one === file)?.[0] ?? "";
  }

  #change(path: string, splices: Splice[], isUndo: boolean, from?: View): void {
    const file = this.#file(path);
    for (const [position, deleted, inserted] of splices) {
      file.text = file.text.slice(0, position) + inserted + file.text.slice(position + deleted);
    }
    const step: Step = { at_ms: this.now(), path, splices, isUndo };
    file.steps.push(step);
    this.#all.push(step);
    for (const view of this.#views.values()) {
      if (view.file !== file || view === from) continue;
      view.revision += 1;
      this.tell({ event: "viewPatch", data: { viewId: view.id, revision: view.revision, splices, source: isUndo ? "undo" : "other", checksum: null } });
    }
    this.tell({ event: "historyGrew", data: { nMoments: this.#all.length, paths: [path] } });
    this.tell({ event: "saveState", data: { kind: "saved", savedMs: this.now(), nUnwritten: 0, message: null } });
  }

  #snapshot(viewId: number): void {
    const view = this.#views.get(viewId);
    if (view === undefined) return;
    this.tell({ event: "viewSnapshot", data: { viewId, revision: view.revision, text: view.file.text, ackedRequestId: 1e9 } });
  }

  #undo(viewId: number): Extract<Reply, { reply: "undone" }>["value"] {
    const view = this.#views.get(viewId);
    const steps = view?.file.steps.filter((step) => !step.isUndo) ?? [];
    const last = steps.at(-1);
    if (view === undefined || last === undefined || last.at_ms < this.now() - 1_800_000) {
      return { kind: "nothingToUndo", caret: null, message: "Nothing to undo.", paths: [], groupId: null };
    }
    const before = this.#textOf(view.file, view.file.steps.indexOf(last));
    last.isUndo = true;
    this.#change(view.path ?? "", [[0, view.file.text.length, before]], true);
    const [position] = last.splices[0] ?? [0, 0, ""];
    return { kind: "applied", caret: position, message: null, paths: [], groupId: null };
  }

  #textOf(file: File, n_steps: number): string {
    let text = file.start;
    for (const { splices } of file.steps.slice(0, n_steps)) {
      for (const [position, deleted, inserted] of splices) text = text.slice(0, position) + inserted + text.slice(position + deleted);
    }
    return text;
  }

  #steps(scope: Scope): Step[] {
    if (scope.kind === "file") return this.#files.get(scope.path)?.steps ?? [];
    if (scope.kind === "folder") return this.#all.filter((step) => step.path.startsWith(`${scope.path}/`));
    return this.#all;
  }

  #textAt(path: string, scope: Scope, index: number): string {
    const file = this.#file(path);
    const until = this.#steps(scope).slice(0, index);
    return this.#textOf(file, file.steps.filter((step) => until.includes(step)).length);
  }

  #record(step: Step): LogRecord {
    const [, removed = 0, inserted = ""] = step.splices[0] ?? [];
    const id = `d${this.#all.indexOf(step) + 1}`;
    return {
      id, session_id: "p", user_id: "Asha", timestamp: new Date(step.at_ms).toISOString(), kind: step.isUndo ? "undo" : "edit", path: step.path, step: null, position: null,
      deleted: null, inserted: null, n_steps: 1, added: inserted.length, removed, n_files: 1, group_id: id, detail: null,
    };
  }

  #moment(scope: Scope, index: number): MomentInfo {
    const steps = this.#steps(scope);
    const step = steps[index - 1];
    const [position, removed, inserted] = step?.splices[0] ?? [0, 0, ""];
    return {
      index, nMoments: steps.length, workspaceIndex: step === undefined ? 0 : this.#all.indexOf(step) + 1, atMs: step?.at_ms ?? this.now() - 3_700_000,
      deltaId: step === undefined ? null : `d${index}`, author: step === undefined ? null : ME, path: step?.path ?? null,
      added: inserted.length, removed, label: null, position: step === undefined ? null : position,
    };
  }
}

function gaps(steps: readonly Step[]): { index: number; idleMs: number }[] {
  return steps.flatMap((step, index) => {
    const idleMs = index === 0 ? 0 : step.at_ms - (steps[index - 1]?.at_ms ?? 0);
    return idleMs > 60_000 ? [{ index, idleMs }] : [];
  });
}

function buckets(steps: readonly Step[], from: number, to: number, n: number): Extract<Reply, { reply: "histogram" }>["value"]["buckets"] {
  const result: Extract<Reply, { reply: "histogram" }>["value"]["buckets"] = [];
  const size = Math.max(1, (to - from) / Math.max(1, n));
  for (let start = from; start < to; start += size) {
    const a = Math.floor(start);
    const b = Math.min(to, Math.floor(start + size));
    const part = steps.slice(a, b);
    if (part.length === 0) continue;
    const chars = part.reduce((sum, step) => sum + step.splices.reduce((all, splice) => all + splice[1] + splice[2].length, 0), 0);
    result.push({ from: a, to: b, startMs: part[0]?.at_ms ?? 0, endMs: part.at(-1)?.at_ms ?? 0, chars: [[0, chars]] });
  }
  return result;
}

function refusal(code: ApiError["code"], message: string): ApiError {
  return { code, message, detail: null };
}
