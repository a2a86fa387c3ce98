/**
 * The tree of the workspace as far as it was looked at: folders are listed when they are opened. In the past the tree
 * is that moment's. A projection of the engine's truth; only what is open and selected belongs to the window.
 */
import { type Client, sentenceOf } from "../api/client";
import type { DeletedFile, Entry } from "../api/generated";
import { ancestors, baseName, compareNames, isWithin, join, moved, parentOf } from "../base/paths";
import { past } from "./past.svelte";
import { filterTree } from "./treeFilter";

export type Row =
  | { kind: "entry"; id: string; depth: number; entry: Entry; isExpanded: boolean }
  | { kind: "edit"; id: string; depth: number; edit: NameEdit }
  | { kind: "note"; id: string; depth: number; text: string; isTrouble: boolean }
  | { kind: "deletedHead"; id: string; depth: number; isExpanded: boolean; n: number }
  | { kind: "deleted"; id: string; depth: number; file: DeletedFile };

/** A name being typed into the tree. */
export interface NameEdit {
  act: "newFile" | "newFolder" | "rename";
  /** Folder of the new thing; for a rename the folder it is in. */
  parent: string;
  /** For a rename: the path now. */
  path: string | null;
  isFolder: boolean;
}

interface Folder {
  entries: readonly Entry[];
  trouble: string | null;
}

export const DELETED_ID = "deleted:";
const DELETED_MAX = 10;

export class FilesState {
  #folders = $state.raw<ReadonlyMap<string, Folder>>(new Map());
  expanded = $state.raw<ReadonlySet<string>>(new Set());
  deleted = $state.raw<readonly DeletedFile[]>([]);
  isDeletedExpanded = $state(false);
  /** Ids of the selected rows. */
  selected = $state.raw<ReadonlySet<string>>(new Set());
  /** The row the keyboard is at. */
  focusedId = $state<string | null>(null);
  /** Where a Shift-selection began. */
  anchorId = $state<string | null>(null);
  edit = $state.raw<NameEdit | null>(null);
  /** Cut or copied files, and which. */
  clipboard = $state.raw<{ paths: readonly string[]; isCut: boolean } | null>(null);
  /** Paths of the files whose text changed since the workspace was opened here, whoever did it. */
  changed = $state.raw<ReadonlySet<string>>(new Set());
  /** The workspace is shown here for the first time: what is heard of a file first is that it was brought in. */
  isFirstTime = true;
  readonly #broughtIn = new Set<string>();
  isLoaded = $state(false);
  /** Files that the ignore rules keep out are listed, greyed. */
  showsIgnored = $state(true);
  /** What is typed into the filter box; null while the box is not there. */
  filter = $state<string | null>(null);
  #filterPaths = $state.raw<readonly string[]>([]);
  #filterCollapsed = $state.raw<ReadonlySet<string>>(new Set());
  readonly #loading = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #generation = 0;

  constructor(private readonly client: Client) {
    client.onEvent((event) => {
      if (event.event === "treeChanged") void this.handleTreeChanged(event.data.folders);
    });
  }

  /** Forgets everything of the workspace before. */
  reset(): void {
    this.#generation += 1;
    this.#folders = new Map();
    this.expanded = new Set();
    this.deleted = [];
    this.isDeletedExpanded = false;
    this.selected = new Set();
    this.focusedId = null;
    this.anchorId = null;
    this.edit = null;
    this.clipboard = null;
    this.changed = new Set();
    this.isFirstTime = true;
    this.#broughtIn.clear();
    this.isLoaded = false;
    this.endFilter();
    this.#loading.clear();
    this.#again.clear();
  }

  /** Lists the root and the folders that were open. */
  async start(expanded: readonly string[]): Promise<void> {
    this.expanded = new Set(expanded);
    await this.load("");
    this.isLoaded = true;
    await Promise.all([...this.expanded].map((path) => this.load(path)));
    await this.loadDeleted();
  }

  async load(path: string): Promise<void> {
    const running = this.#loading.get(path);
    if (running !== undefined) {
      // What is being answered may be older than the change that asked for this.
      this.#again.add(path);
      return running;
    }
    const promise = this.#listToTheNewest(path);
    this.#loading.set(path, promise);
    await promise;
  }

  /** Whoever asks meanwhile is answered, too, by what is listed after that. */
  async #listToTheNewest(path: string): Promise<void> {
    const generation = this.#generation;
    do await this.#list(path);
    while (generation === this.#generation && this.#again.delete(path));
    if (generation === this.#generation) this.#loading.delete(path);
  }

  /** Resolves when what is being listed now is there. */
  async listed(): Promise<void> {
    await Promise.all(this.#loading.values());
  }

  async #list(path: string): Promise<void> {
    const generation = this.#generation;
    let folder: Folder;
    try {
      const { entries } = await this.client.get("folder", { cmd: "listFolder", args: { path, at: past.at } });
      folder = { entries: [...entries].sort(compareEntries), trouble: null };
    } catch (cause) {
      folder = { entries: [], trouble: sentenceOf(cause) };
    }
    if (generation !== this.#generation) return;
    this.#folders = new Map(this.#folders).set(path, folder);
  }

  async loadDeleted(): Promise<void> {
    const generation = this.#generation;
    try {
      const { files } = await this.client.get("deleted", { cmd: "listDeleted", args: { limit: DELETED_MAX } });
      if (generation === this.#generation) this.deleted = onePerPath(files);
    } catch (cause) {
      // The list is a convenience; the next change asks again.
      console.warn("no list of deleted files", cause);
    }
  }

  async handleTreeChanged(folders: readonly string[]): Promise<void> {
    // A folder comes with its first file and goes with its last: then those above it changed, too.
    const changed = new Set(folders.flatMap((path) => ["", ...ancestors(path), path]));
    const known = [...changed].filter((path) => this.#folders.has(path));
    await Promise.all([...known.map((path) => this.load(path)), this.loadDeleted(), this.#loadFilter()]);
    this.#dropVanished();
    // One that came back under a name that was open before.
    const back = [...this.expanded].filter((path) => !this.#folders.has(path) && this.entry(path)?.kind === "folder");
    await Promise.all(back.map((path) => this.load(path)));
  }

  /** All listed folders anew: the moment changed. */
  async reload(): Promise<void> {
    await Promise.all([...[...this.#folders.keys()].map((path) => this.load(path)), this.#loadFilter()]);
  }

  /** Shows the filter box. */
  async startFilter(): Promise<void> {
    this.filter ??= "";
    await this.#loadFilter();
  }

  endFilter(): void {
    this.filter = null;
    this.#filterPaths = [];
    this.#filterCollapsed = new Set();
  }

  /** Something was typed: the tree shows only what matches. */
  get isFiltering(): boolean {
    return this.filter !== null && this.filter.trim() !== "";
  }

  async #loadFilter(): Promise<void> {
    if (this.filter === null) return;
    const generation = this.#generation;
    try {
      const { paths } = await this.client.get("files", { cmd: "listFiles", args: { at: past.at } });
      if (generation === this.#generation && this.filter !== null) this.#filterPaths = paths;
    } catch (cause) {
      // The next key asks again.
      console.warn("no list of files", cause);
      this.#filterPaths = [];
    }
  }

  #dropVanished(): void {
    const gone = [...this.#folders.keys()].filter((path) => path !== "" && this.entry(path)?.kind !== "folder");
    if (gone.length === 0) return;
    const left = new Map(this.#folders);
    for (const path of gone) left.delete(path);
    this.#folders = left;
  }

  entry(path: string): Entry | null {
    const listed = this.#folders.get(parentOf(path))?.entries.find((entry) => entry.path === path);
    if (listed !== undefined || !this.isFiltering) return listed ?? null;
    const row = this.rows.find((one) => one.kind === "entry" && one.id === path);
    return row?.kind === "entry" ? row.entry : null;
  }

  entriesOf(folder: string): readonly Entry[] {
    return this.#folders.get(folder)?.entries ?? [];
  }

  get isEmpty(): boolean {
    const root = this.#folders.get("");
    return root !== undefined && root.entries.length === 0 && root.trouble === null;
  }

  async expand(path: string): Promise<void> {
    this.expanded = new Set(this.expanded).add(path);
    if (!this.#folders.has(path)) await this.load(path);
  }

  collapse(path: string): void {
    this.expanded = new Set([...this.expanded].filter((one) => one !== path));
  }

  async toggle(path: string): Promise<void> {
    if (this.isFiltering) {
      const next = new Set(this.#filterCollapsed);
      if (!next.delete(path)) next.add(path);
      this.#filterCollapsed = next;
      return;
    }
    if (this.expanded.has(path)) this.collapse(path);
    else await this.expand(path);
  }

  collapseAll(): void {
    this.expanded = new Set();
    this.isDeletedExpanded = false;
  }

  /** Opens all folders above a path and selects it. */
  async reveal(path: string): Promise<void> {
    for (const folder of ancestors(path)) await this.expand(folder);
    if (this.entry(path) !== null) this.selectOnly(path);
  }

  /** The texts of these files are others now. */
  noteChanged(paths: readonly string[]): void {
    const later = paths.filter((path) => !this.isFirstTime || this.#broughtIn.has(path));
    for (const path of paths) this.#broughtIn.add(path);
    if (later.some((path) => !this.changed.has(path))) this.changed = new Set([...this.changed, ...later]);
  }

  /** The row that stands for a file: its own, or that of the closed folder it is in. */
  shownRowOf(path: string): string {
    return ancestors(path).find((folder) => !this.expanded.has(folder)) ?? path;
  }

  /** A file or folder has another path: what was open and selected goes with it. */
  renamed(from: string, to: string): void {
    this.expanded = new Set([...this.expanded].map((path) => moved(path, from, to)));
    this.selected = new Set([...this.selected].map((path) => moved(path, from, to)));
    this.changed = new Set([...this.changed].map((path) => moved(path, from, to)));
    if (this.focusedId !== null) this.focusedId = moved(this.focusedId, from, to);
  }

  selectOnly(id: string): void {
    this.selected = new Set([id]);
    this.focusedId = id;
    this.anchorId = id;
  }

  toggleSelected(id: string): void {
    const next = new Set(this.selected);
    if (!next.delete(id)) next.add(id);
    this.selected = next;
    this.focusedId = id;
    this.anchorId = id;
  }

  /** All rows from the anchor to this one. */
  selectTo(id: string): void {
    const rows = this.rows;
    const a = rows.findIndex((row) => row.id === (this.anchorId ?? id));
    const b = rows.findIndex((row) => row.id === id);
    const from = Math.max(0, Math.min(a, b));
    this.selected = new Set(rows.slice(from, Math.max(a, b) + 1).map((row) => row.id));
    this.focusedId = id;
  }

  /** Selected files and folders, without those that lie in another selected folder. */
  get selectedPaths(): string[] {
    const paths = [...this.selected].filter((id) => this.entry(id) !== null);
    return paths.filter((path) => !paths.some((other) => other !== path && isWithin(path, other)));
  }

  get focusedEntry(): Entry | null {
    return this.focusedId === null ? null : this.entry(this.focusedId);
  }

  /** Where a new file belongs: the folder under the keyboard, or the folder of the file. */
  get targetFolder(): string {
    const entry = this.focusedEntry;
    if (entry === null) return "";
    return entry.kind === "folder" ? entry.path : parentOf(entry.path);
  }

  async startNew(act: "newFile" | "newFolder", parent = this.targetFolder): Promise<void> {
    this.endFilter();
    if (parent !== "") await this.expand(parent);
    this.edit = { act, parent, path: null, isFolder: act === "newFolder" };
  }

  startRename(path: string): void {
    const entry = this.entry(path);
    if (entry === null) return;
    this.edit = { act: "rename", parent: parentOf(path), path, isFolder: entry.kind === "folder" };
  }

  /** Why a name cannot be used here, as a sentence; null when it can. The engine has the last word. */
  whyNotName(edit: NameEdit, typed: string): string | null {
    const name = typed.trim().replace(/\/+$/, "");
    if (name === "") return null;
    const parts = name.split("/");
    if (parts.some((part) => part === "" || part === "." || part === "..")) return "This is not a name a file can have.";
    const path = join(edit.parent, name);
    const existing = this.entry(path);
    if (existing !== null && path !== edit.path) return `“${baseName(path)}” is there already.`;
    return null;
  }

  rows = $derived.by(() => this.#makeRows());

  #makeRows(): Row[] {
    if (this.isFiltering) return this.#filteredRows();
    const rows: Row[] = [];
    this.#addFolder(rows, "", 0);
    if (this.deleted.length > 0 && past.moment === null) {
      const n = this.deleted.length;
      rows.push({ kind: "deletedHead", id: DELETED_ID, depth: 0, isExpanded: this.isDeletedExpanded, n });
      if (this.isDeletedExpanded) {
        for (const file of this.deleted) rows.push({ kind: "deleted", id: DELETED_ID + file.fileId, depth: 1, file });
      }
    }
    return rows;
  }

  #filteredRows(): Row[] {
    const found = filterTree(this.#filterPaths, (this.filter ?? "").trim(), this.#filterCollapsed);
    return found.map(({ entry, depth, isExpanded }): Row => {
      // The name box stands where the row is.
      const { edit } = this;
      if (edit?.act === "rename" && edit.path === entry.path) return { kind: "edit", id: "edit:", depth, edit };
      return { kind: "entry", id: entry.path, depth, entry, isExpanded };
    });
  }

  #addFolder(rows: Row[], path: string, depth: number): void {
    const folder = this.#folders.get(path);
    const { edit } = this;
    if (edit !== null && edit.act !== "rename" && edit.parent === path) rows.push({ kind: "edit", id: "edit:", depth, edit });
    if (folder === undefined) return;
    if (folder.trouble !== null) rows.push({ kind: "note", id: `note:${path}`, depth, text: folder.trouble, isTrouble: true });
    for (const entry of folder.entries) {
      if (entry.ignored && !this.showsIgnored) continue;
      const isExpanded = entry.kind === "folder" && this.expanded.has(entry.path);
      if (edit?.act === "rename" && edit.path === entry.path) rows.push({ kind: "edit", id: "edit:", depth, edit });
      else rows.push({ kind: "entry", id: entry.path, depth, entry, isExpanded });
      if (isExpanded) this.#addFolder(rows, entry.path, depth + 1);
    }
  }
}

export function compareEntries(a: Entry, b: Entry): number {
  if ((a.kind === "folder") !== (b.kind === "folder")) return a.kind === "folder" ? -1 : 1;
  return compareNames(a.name, b.name);
}

/** Of several deleted under one name only the newest: that is the one meant. Newest first. */
function onePerPath(files: readonly DeletedFile[]): DeletedFile[] {
  return files.filter((file, i) => files.findIndex((other) => other.path === file.path) === i);
}
