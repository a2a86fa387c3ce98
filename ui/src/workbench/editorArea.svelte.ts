/**
 * The files that are open and where: tabs, panes, the active editor. What it shows of a file is the engine's; undo and
 * redo too.
 */
import { type Client, sentenceOf } from "../api/client";
import type { Undone } from "../api/generated";
import { Emitter } from "../base/emitter";
import { type OpenFile, OpenFiles } from "../editor/models.svelte";
import { type CodeEditor, type Monaco, type ViewState, loadMonaco } from "../editor/monaco";
import { textOf } from "../editor/untitled";
import { isUntitled, moved } from "../base/paths";
import { ModelSurface } from "../editor/surface";
import { past } from "../state/past.svelte";
import { type Group, type SavedTabs, type Tab, Tabs } from "../state/tabs.svelte";
import { Pane, type Place } from "./pane.svelte";
import { slots } from "./slots.svelte";

export interface OpenOptions {
  isPreview?: boolean;
  /** Index of the pane, left to right. */
  group?: number;
  place?: Place;
  /** Leave the keyboard where it is. */
  keepsFocus?: boolean;
}

export interface SavedEditors {
  tabs: SavedTabs;
  /** By pane, by path. */
  views: Record<string, ViewState>[];
}

export const PAGE = "page:";

/** Whether what a tab shows is a file of the workspace. */
export function isFilePath(path: string): boolean {
  return !path.startsWith(PAGE) && !isUntitled(path);
}

const RECENT_MAX = 200;
const DELETED_MAX = 1_000;

export class EditorArea {
  /** Null until the first workspace is opened. */
  monaco = $state.raw<Monaco | null>(null);
  readonly tabs = new Tabs();
  /** Paths in the order of their last use, newest first: for "go to file". */
  recentPaths = $state.raw<readonly string[]>([]);
  /** Text fields and lists are not the editor: kept by focus events, so that commands can read it. */
  #files = $state.raw<OpenFiles | null>(null);
  /** Texts without a name that are to be closed, and have something in them: the person is asked, one after the other. */
  asked = $state.raw<readonly string[]>([]);
  /** The one that is being made a file. */
  naming = $state<string | null>(null);
  readonly #panes = new Map<number, Pane>();
  readonly #changed = new Emitter<void>();
  readonly #undone = new Emitter<Undone>();
  readonly #mixed = new Emitter<OpenFile>();
  /** Something to be kept between starts changed. */
  readonly onChanged = this.#changed.on;
  readonly onUndone = this.#undone.on;
  /** A file was opened whose lines end in more than one way on disk. */
  readonly onMixed = this.#mixed.on;

  constructor(
    private readonly client: Client,
    private readonly onTrouble: (sentence: string) => void,
  ) {}

  /** Readies for a workspace that has just been opened. */
  async start(saved: SavedEditors | null): Promise<void> {
    this.monaco = await loadMonaco();
    this.#files = new OpenFiles(this.monaco, this.client, this.onTrouble);
    this.#files.onMoved(({ from, path }) => {
      if (path === null) this.tabs.setGone(from, true);
      else {
        this.tabs.setGone(from, false);
        if (from !== path) this.tabs.renamed(from, path);
      }
    });
    // What is typed into is meant to stay.
    this.#files.onEdited((file) => {
      for (const group of this.tabs.groups) for (const tab of group.tabs) if (tab.path === file.path) this.tabs.keep(tab.id);
    });
    this.#files.onMixed((file) => this.#mixed.fire(file));
    await this.#takeUntitled();
    if (saved !== null) {
      this.tabs.restore(saved.tabs, (path) => !isUntitled(path) || this.#files?.untitled.get(path) != null);
      this.tabs.groups.forEach((group, index) => this.pane(group).restoreViewStates(saved.views[index] ?? {}));
      this.recentPaths = this.tabs.openPaths.filter(isFilePath);
    }
    this.#showUntitled();
  }

  async #takeUntitled(): Promise<void> {
    try {
      await this.#files?.untitled.take();
    } catch (cause) {
      // They stay where they are kept, for the next time.
      this.onTrouble(sentenceOf(cause));
    }
  }

  /** Those that were typed into so shortly before the end that no tab of them was kept, and those of other windows. */
  #showUntitled(): void {
    const active = this.tabs.active;
    const hidden = this.#files?.untitled.paths.filter((path) => !this.tabs.openPaths.includes(path)) ?? [];
    for (const path of hidden) this.tabs.open(path);
    if (active !== null) this.tabs.activate(active.id);
  }

  /** Lets go of all files: the workspace is being closed. */
  stop(): void {
    for (const pane of this.#panes.values()) pane.dispose();
    this.#panes.clear();
    this.#files?.dispose();
    this.#files = null;
    this.recentPaths = [];
    this.asked = [];
    this.tabs.restore({ groups: [], activeGroup: 0 });
  }

  get files(): OpenFiles | null {
    return this.#files;
  }

  /** The pane of a group; made when first asked for. */
  pane(group: Group): Pane {
    const existing = this.#panes.get(group.id);
    if (existing !== undefined) return existing;
    const pane = new Pane(() => this.#files);
    pane.onChanged(() => this.#changed.fire());
    pane.onFocused(() => {
      const index = this.tabs.groups.findIndex((one) => one.id === group.id);
      if (index >= 0) this.tabs.activeIndex = index;
    });
    this.#panes.set(group.id, pane);
    return pane;
  }

  /** Called when a group left the screen. */
  dropPane(group: Group): void {
    if (this.tabs.groups.some((one) => one.id === group.id)) return;
    this.#panes.get(group.id)?.dispose();
    this.#panes.delete(group.id);
  }

  get activePane(): Pane {
    return this.pane(this.tabs.group);
  }

  get activeTab(): Tab | null {
    return this.tabs.active;
  }

  /** Path of the active file; null for pages, for a text without a name and when nothing is open. */
  get activePath(): string | null {
    const path = this.tabs.active?.path ?? null;
    return path === null || !isFilePath(path) ? null : path;
  }

  /** Path of the active text if it has no name yet. */
  get untitledPath(): string | null {
    const path = this.tabs.active?.path ?? null;
    return path === null || !isUntitled(path) ? null : path;
  }

  /** What is shown of the active path, or of a text without a name. */
  get activeFile(): OpenFile | null {
    return this.activePath === null && this.untitledPath === null ? null : this.activePane.file;
  }

  /** Path of the file that has the keyboard. */
  get typedInto(): string | null {
    return this.activePane.hasFocus ? (this.activeFile?.path ?? null) : null;
  }

  /** Line of the caret in the active pane. */
  get caretLine(): number {
    return (this.activePane.large?.caretPlace ?? this.activePane.caret).line;
  }

  /** The live editor of the active pane, whether or not the past lies over it. */
  get activeEditor(): CodeEditor | null {
    return this.activePane.editor;
  }

  /** The caret blinks in the live text. */
  get hasTextFocus(): boolean {
    return this.activeFile !== null && (this.activeEditor?.hasTextFocus() ?? false);
  }

  get isEditable(): boolean {
    if (this.untitledPath !== null) return this.activeFile !== null;
    return this.activeFile?.link != null && this.activeFile.readOnly === null && past.moment === null;
  }

  /** Shows a file in a tab. */
  open(path: string, options: OpenOptions = {}): void {
    const tab = this.tabs.open(path, { isPreview: options.isPreview ?? false, ...(options.group === undefined ? {} : { group: options.group }) });
    if (options.place !== undefined) {
      void this.activePane.show(tab.path);
      this.activePane.goTo(options.place);
    }
    if (isFilePath(path)) this.recentPaths = [path, ...this.recentPaths.filter((one) => one !== path)].slice(0, RECENT_MAX);
    if (options.keepsFocus !== true) this.focusSoon();
    this.#changed.fire();
  }

  /** A file or folder was renamed from this window: what is open of it stays open, caret and all. */
  renamed(from: string, to: string): void {
    for (const file of this.#files?.all ?? []) {
      if (file.path !== null && moved(file.path, from, to) !== file.path) file.renamed(moved(file.path, from, to));
    }
    this.tabs.renamed(from, to);
    this.recentPaths = this.recentPaths.map((path) => moved(path, from, to));
    this.#changed.fire();
  }

  /** What is not there may be a file that was deleted: its tab says so. */
  async noteDeleted(path: string): Promise<void> {
    const { files } = await this.client.get("deleted", { cmd: "listDeleted", args: { limit: DELETED_MAX } });
    if (files.some((one) => one.path === path)) this.tabs.setGone(path, true);
  }

  openPage(id: string): void {
    this.open(PAGE + id);
  }

  activate(tab: Tab): void {
    this.tabs.activate(tab.id);
    if (isFilePath(tab.path)) this.recentPaths = [tab.path, ...this.recentPaths.filter((one) => one !== tab.path)];
    this.focusSoon();
    this.#changed.fire();
  }

  /** The last tab of a text without a name is not closed before its person has said what becomes of the text. */
  close(id: number): void {
    const path = this.tabs.all.find((tab) => tab.id === id)?.path ?? null;
    const isLast = path !== null && isUntitled(path) && this.tabs.openPaths.filter((one) => one === path).length === 1;
    if (isLast && this.#files?.untitled.isEmpty(path) === false) {
      this.asked = [...this.asked.filter((one) => one !== path), path];
      return;
    }
    if (isLast) this.#drop(path);
    this.#closeTab(id);
  }

  #closeTab(id: number): void {
    this.tabs.close(id);
    this.focusSoon();
    this.#changed.fire();
  }

  /** A new text without a name, to be typed into at once. */
  newUntitled(): void {
    if (this.#files !== null) this.open(this.#files.untitled.create());
  }

  /** A text without a name is thrown away, tabs and all. */
  discard(path: string): void {
    this.asked = this.asked.filter((one) => one !== path);
    this.#closeTabs(path);
    this.#drop(path);
  }

  #drop(path: string): void {
    this.#files?.untitled.drop(path).catch((cause: unknown) => {
      // It is there again the next time.
      console.warn("a text without a name could not be dropped", cause);
    });
  }

  #closeTabs(path: string): void {
    for (const tab of this.tabs.all.filter((one) => one.path === path)) this.#closeTab(tab.id);
  }

  /** Makes a file of a text without a name, in its tabs. What was kept of it goes when the file is durable, not before. Rejects with an `ApiError`. */
  async giveName(from: string, to: string): Promise<void> {
    const { monaco } = this;
    const files = this.#files;
    const model = files?.untitled.get(from)?.model;
    if (monaco === null || files === null || model == null) return;
    this.naming = from;
    try {
      await this.client.ask({ cmd: "createFile", args: { path: to, text: textOf(model) } });
      const file = await files.open(to);
      // Typed meanwhile: an edit like any other.
      if (file.model !== null) new ModelSurface(monaco, file.model).replaceAll(textOf(model));
      for (const pane of this.#panes.values()) pane.renamed(from, to);
      this.renamed(from, to);
      files.release(file);
      this.focusSoon();
      await this.client.ask({ cmd: "save", args: { path: to } });
      this.#drop(from);
      if (this.asked.includes(from)) this.#closeTabs(to);
      this.asked = this.asked.filter((path) => path !== from);
    } finally {
      this.naming = null;
    }
  }

  /** Sends what is not sent yet of the texts without a name. */
  flush(): void {
    this.#files?.untitled.flush();
  }

  /** Once what was opened is drawn. */
  focusSoon(): void {
    setTimeout(() => {
      if (this.activePath !== null || this.untitledPath !== null) this.focus();
    });
  }

  /** Into the text that is seen: the live one, or what lies over it. */
  focus(): void {
    const over = slots.overEditor;
    if (over?.isOn() === true && this.untitledPath === null) over.focus();
    else this.activePane.focus();
  }

  reopenClosed(): void {
    const last = this.tabs.takeClosed();
    if (last !== null) this.open(last.path, { group: last.group });
  }

  async undo(): Promise<void> {
    await this.#undoBy("undo");
  }

  async redo(): Promise<void> {
    await this.#undoBy("redo");
  }

  // The text changes by a patch, which the engine sends before it answers; then the caret goes to its place.
  async #undoBy(cmd: "undo" | "redo"): Promise<void> {
    const file = this.activeFile;
    const pane = this.activePane;
    if (file === null || !this.isEditable) return;
    if (this.untitledPath !== null) {
      pane.editor?.trigger("command", cmd, null);
      return;
    }
    const { n_localEdits } = file;
    const undone = await this.client.get("undone", { cmd, args: { viewId: file.viewId } });
    if (undone.kind === "applied" && undone.caret !== null) {
      const { caret } = undone;
      // Replies and events come by different ways; the patch is there within a batch. Whoever has typed since goes on there.
      const apply = (): void => {
        if (pane.file === file && file.n_localEdits === n_localEdits) pane.setCaret(caret);
      };
      apply();
      setTimeout(apply, 30);
    }
    const isNothing = undone.kind === "nothingToUndo" && undone.message === null;
    this.#undone.fire(isNothing ? { ...undone, message: `Nothing to ${cmd}.` } : undone);
  }

  save(): SavedEditors {
    const { groups } = this.tabs;
    return {
      tabs: this.tabs.save(),
      views: groups.map((group) => this.pane(group).saveViewStates(group.tabs.map((tab) => tab.path))),
    };
  }
}
