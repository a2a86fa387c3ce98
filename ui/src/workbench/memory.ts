/** What the window keeps with a workspace between starts: tabs, carets, sizes, open folders. */
import type { Client } from "../api/client";
import type { FilesState } from "../state/files.svelte";
import type { EditorArea, SavedEditors } from "./editorArea.svelte";
import type { Layout, SavedLayout } from "./layout.svelte";

const KEY = "window";
const WAIT_MS = 400;

interface Saved {
  version: 1;
  layout: SavedLayout;
  editors: SavedEditors;
  expanded: string[];
  hidesIgnored?: boolean;
}

export class Memory {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = "";
  /** Nothing is kept before what was kept has been read. */
  #isOn = false;

  constructor(
    private readonly client: Client,
    private readonly layout: Layout,
    private readonly editors: EditorArea,
    private readonly files: FilesState,
  ) {
    editors.onChanged(() => this.schedule());
  }

  async read(): Promise<Saved | null> {
    try {
      const { value } = await this.client.get("state", { cmd: "getState", args: { key: KEY } });
      const saved: unknown = value === null ? null : JSON.parse(value);
      return isSaved(saved) ? saved : null;
    } catch {
      // A window that opens as new is better than one that does not open.
      return null;
    }
  }

  begin(): void {
    this.#isOn = true;
  }

  schedule(): void {
    // A running timer is left alone: somebody who never stops typing is remembered, too.
    if (!this.#isOn || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.write(), WAIT_MS);
  }

  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isOn) return;
    const saved: Saved = {
      version: 1,
      layout: this.layout.save(),
      editors: this.editors.save(),
      expanded: [...this.files.expanded],
      hidesIgnored: !this.files.showsIgnored,
    };
    const value = JSON.stringify(saved);
    if (value === this.#last) return;
    this.#last = value;
    this.client.ask({ cmd: "putState", args: { key: KEY, value } }).catch(() => {
      // Kept again with the next change.
      this.#last = "";
    });
  }

  stop(): void {
    this.write();
    this.#isOn = false;
    this.#last = "";
  }
}

function isSaved(value: unknown): value is Saved {
  return typeof value === "object" && value !== null && "version" in value && value.version === 1;
}
