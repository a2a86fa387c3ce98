/**
 * Open files: one Monaco model and one engine view per file, however many panes show it. Counted; the last pane to let
 * go leaves it alive a little, so that closing and reopening keeps it. Routes the engine's view events to the links.
 */
import { type Client, sentenceOf } from "../api/client";
import type { ApiError, Event, LineEnd, ReadOnlyReason, SaveKind, Splice, ViewEdit, ViewOpened } from "../api/generated";
import { type Disposable, DisposableStore } from "../base/disposable";
import { Emitter } from "../base/emitter";
import { isUntitled } from "../base/paths";
import { languageOf } from "./languages";
import { EditorLink } from "./link";
import { sourceOf, spare } from "./longModel";
import type { Monaco, TextModel } from "./monaco";
import { ModelSurface } from "./surface";
import { UntitledTexts } from "./untitled";

/** Long enough for a tab closed by mistake and for a move between panes. */
const GRACE_MS = 5_000;
const EARLY_EVENTS_MAX = 500;

const WORKSPACE_IS_GONE: ApiError = { code: "notFound", message: "The workspace of this file was closed.", detail: null };

const TEXT_IS_GONE: ApiError = { code: "notFound", message: "This text is not there any more.", detail: null };

type ViewEvent = Extract<Event, { event: "viewPatch" | "viewAck" | "viewSnapshot" | "viewMoved" }>;

let n_models = 0;

export class OpenFile implements Disposable {
  readonly viewId: number;
  /** Null once the file was deleted; the text of it is still here. */
  path = $state<string | null>(null);
  /** The path it was last known by. */
  lastPath = $state("");
  encoding = $state("");
  /** The file on disk begins with the mark of its encoding. */
  byteOrderMark = $state(false);
  lineEnd = $state<LineEnd>("lf");
  language = $state("plaintext");
  readOnly = $state<ReadOnlyReason | null>(null);
  readonly sizeBytes: number;
  readonly fileId: string | null;
  /** Null for binaries and files over the limit. */
  readonly model: TextModel | null;
  readonly link: EditorLink | null;
  /** Counts what was typed, pasted and the like in this window. */
  n_localEdits = 0;
  readonly #store = new DisposableStore();

  constructor(
    private readonly monaco: Monaco,
    /** Null for a text without a name, of which no engine knows. */
    client: Client | null,
    opened: ViewOpened,
    source: string,
    onLocalEdit: () => void,
    onTrouble: (cause: unknown) => void,
  ) {
    this.viewId = opened.viewId;
    this.path = opened.path;
    this.lastPath = opened.path;
    this.encoding = opened.encoding;
    this.byteOrderMark = opened.byteOrderMark;
    this.lineEnd = opened.lineEnd;
    this.readOnly = opened.readOnly;
    this.sizeBytes = opened.sizeBytes;
    this.fileId = opened.fileId;
    const hasText = opened.readOnly !== "binary" && opened.readOnly !== "tooLarge";
    this.model = hasText ? this.#makeModel(opened, source) : null;
    this.link = this.model === null || client === null ? null : this.#makeLink(client, this.model, opened, onLocalEdit, onTrouble);
  }

  #makeModel(opened: ViewOpened, source: string): TextModel {
    this.language = languageOf(this.monaco, opened.path);
    // Language services tell kinds of files apart by their endings. Numbered: a file may be opened again before it is let go.
    n_models += 1;
    const uri = this.monaco.Uri.from({ scheme: "codesync", path: `/${n_models}/${opened.path}` });
    const model = this.monaco.editor.createModel(source, "plaintext", uri);
    // Before it has a language: long ones get no colours.
    spare(model);
    this.monaco.editor.setModelLanguage(model, this.language);
    // Before anything listens: the shared text has line feeds only.
    model.setEOL(this.monaco.editor.EndOfLineSequence.LF);
    this.#store.add(model);
    this.#store.add(model.onDidChangeLanguage((event) => (this.language = event.newLanguage)));
    return model;
  }

  #makeLink(client: Client, model: TextModel, opened: ViewOpened, onLocalEdit: () => void, onTrouble: (cause: unknown) => void): EditorLink {
    const surface = new ModelSurface(this.monaco, model);
    const { viewId } = opened;
    const resync = (): void => {
      client.ask({ cmd: "resyncView", args: { viewId } }).catch((cause: unknown) => {
        onTrouble(cause);
        link.onSnapshotRefused();
      });
    };
    const edit = (sent: ViewEdit): void => {
      client.ask({ cmd: "editView", args: { viewId, edit: sent } }).catch((cause: unknown) => {
        onTrouble(cause);
        link.onRefused();
      });
    };
    const link = new EditorLink({ edit, resync }, surface, opened.revision, opened.text);
    this.#store.add(link);
    this.#store.add(
      model.onDidChangeContent((event) => {
        if (surface.isApplying) return;
        if (event.isFlush) return;
        this.n_localEdits += 1;
        const splices = event.changes.map((change): Splice => [change.rangeOffset, change.rangeLength, change.text]);
        // At its start, it goes along with the line when others put lines in before it.
        link.localEdit(splices, event.changes.every((change) => change.range.startColumn > 1));
        onLocalEdit();
      }),
    );
    return link;
  }

  get isGone(): boolean {
    return this.path === null;
  }

  handle(event: ViewEvent): void {
    if (event.event === "viewAck") this.link?.onAck(event.data.requestId, event.data.revision);
    else if (event.event === "viewPatch") this.link?.onPatch(event.data);
    else if (event.event === "viewSnapshot") {
      this.link?.onSnapshot(event.data);
      if (this.readOnly === "coming") this.readOnly = null;
    }
    else this.#handleMoved(event.data.path);
  }

  #handleMoved(path: string | null): void {
    if (path !== null && path === this.path) return;
    this.path = path;
    if (path === null) return;
    this.lastPath = path;
    if (this.model !== null) this.monaco.editor.setModelLanguage(this.model, languageOf(this.monaco, path));
  }

  /** It was renamed from this window: the engine's own word on it is still on its way. */
  renamed(path: string): void {
    this.#handleMoved(path);
  }

  setLanguage(id: string): void {
    if (this.model !== null) this.monaco.editor.setModelLanguage(this.model, id);
  }

  dispose(): void {
    this.#store.dispose();
  }
}

interface Held {
  file: OpenFile;
  n_users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class OpenFiles implements Disposable {
  readonly #held = new Map<number, Held>();
  /** Under way, by path: two panes that ask at once get the same view. */
  readonly #opening = new Map<string, Promise<Held>>();
  /** Events for views whose reply has not arrived yet. */
  #early: ViewEvent[] = [];
  /** The engine said last that it takes nothing. */
  #refused = false;
  readonly #store = new DisposableStore();
  readonly untitled: UntitledTexts;
  readonly #moved = this.#store.add(new Emitter<{ file: OpenFile; from: string; path: string | null }>());
  readonly #edited = this.#store.add(new Emitter<OpenFile>());
  readonly #mixed = this.#store.add(new Emitter<OpenFile>());
  readonly onMoved = this.#moved.on;
  /** The user changed the text of a file. */
  readonly onEdited = this.#edited.on;
  /** A file was opened whose lines end in more than one way on disk. */
  readonly onMixed = this.#mixed.on;

  constructor(
    private readonly monaco: Monaco,
    private readonly client: Client,
    private readonly onTrouble: (sentence: string) => void,
  ) {
    this.#store.add(client.onEvent((event) => this.#route(event)));
    this.untitled = this.#store.add(new UntitledTexts(
      (opened, text) => new OpenFile(monaco, null, opened, text, () => undefined, () => undefined),
      client,
      (cause) => onTrouble(sentenceOf(cause)),
    ));
  }

  #route(event: Event): void {
    if (event.event === "saveState") this.#handleSaveState(event.data.kind);
    if (!isViewEvent(event)) return;
    const held = this.#held.get(event.data.viewId);
    if (held === undefined) {
      if (this.#opening.size > 0) this.#early = [...this.#early, event].slice(-EARLY_EVENTS_MAX);
      return;
    }
    const { file } = held;
    const from = file.lastPath;
    file.handle(event);
    if (event.event === "viewMoved") this.#moved.fire({ file, from, path: event.data.path });
  }

  /** What was typed while nothing could be kept is waiting in its view: it goes as soon as it can. */
  #handleSaveState(kind: SaveKind): void {
    const refuses = kind === "diskFull" || kind === "folderGone" || kind === "failed";
    if (this.#refused && !refuses) for (const { file } of this.#held.values()) file.link?.retry();
    this.#refused = refuses;
  }

  /** Opens a view of a file, or shares the one there is. To be given back by `release`. Rejects with an `ApiError`. */
  async open(path: string): Promise<OpenFile> {
    if (isUntitled(path)) return this.#openUntitled(path);
    let held = [...this.#held.values()].find((one) => one.file.path === path);
    if (held === undefined) {
      const under_way = this.#opening.get(path) ?? this.#openView(path);
      this.#opening.set(path, under_way);
      held = await under_way;
    }
    clearTimeout(held.timer);
    held.timer = undefined;
    held.n_users += 1;
    return held.file;
  }

  #openUntitled(path: string): OpenFile {
    const text = this.untitled.get(path);
    if (text === null) throw TEXT_IS_GONE;
    return text;
  }

  async #openView(path: string): Promise<Held> {
    try {
      const opened = await this.client.get("view", { cmd: "openView", args: { path } });
      const source = await sourceOf(opened.text);
      // Its view went with the workspace, and the number of it may be that of another one by now.
      if (this.#store.isDisposed) throw WORKSPACE_IS_GONE;
      const file = new OpenFile(
        this.monaco,
        this.client,
        opened,
        source,
        () => this.#edited.fire(file),
        (cause) => this.onTrouble(sentenceOf(cause)),
      );
      const held: Held = { file, n_users: 0, timer: undefined };
      this.#held.set(opened.viewId, held);
      if (opened.mixedLineEnds) this.#mixed.fire(file);
      const early = this.#early.filter((event) => event.data.viewId === opened.viewId);
      this.#early = this.#early.filter((event) => event.data.viewId !== opened.viewId);
      for (const event of early) this.#route(event);
      return held;
    } finally {
      this.#opening.delete(path);
      if (this.#opening.size === 0) this.#early = [];
    }
  }

  release(file: OpenFile): void {
    const held = this.#held.get(file.viewId);
    // Of a workspace before, too, there may have been a view of this number.
    if (held?.file !== file) return;
    held.n_users -= 1;
    if (held.n_users > 0) return;
    held.timer = setTimeout(() => this.#closeWhenDone(held), GRACE_MS);
  }

  // What was typed last must have reached the engine before its view goes.
  #closeWhenDone(held: Held): void {
    if (held.n_users > 0) return;
    if (held.file.link?.hasPending === true) {
      held.timer = setTimeout(() => this.#closeWhenDone(held), GRACE_MS);
      return;
    }
    this.#held.delete(held.file.viewId);
    held.file.dispose();
    this.client.ask({ cmd: "closeView", args: { viewId: held.file.viewId } }).catch(() => {
      // The workspace is gone, and its views with it.
    });
  }

  get all(): OpenFile[] {
    return [...this.#held.values()].map((held) => held.file);
  }

  get hasPending(): boolean {
    return this.all.some((file) => file.link?.hasPending === true);
  }

  /** Lets go of everything at once: the workspace is being closed. */
  dispose(): void {
    for (const held of this.#held.values()) {
      clearTimeout(held.timer);
      held.file.dispose();
    }
    this.#held.clear();
    this.#store.dispose();
  }
}

function isViewEvent(event: Event): event is ViewEvent {
  return ["viewPatch", "viewAck", "viewSnapshot", "viewMoved"].includes(event.event);
}
