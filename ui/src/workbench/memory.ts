/** What the window keeps with a workspace between starts: tabs, carets, sizes, open folders. */
import type { Client } from "../api/client";
import type { FilesState } from "../state/files.svelte";
import type { EditorArea, SavedEditors } from "./editorArea.svelte";
import type { Layout, SavedLayout } from "./layout.svelte";

const KEY = "window";
const WAIT_MS = 400;
/** Ids of what was said, at most. */
const SAID_MAX = 500;

interface Saved {
  version: 1;
  layout: SavedLayout;
  editors: SavedEditors;
  expanded: string[];
  hidesIgnored?: boolean;
  /** What is said once in the life of a workspace, newest last. */
  said?: string[];
}

export class Memory {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = "";
  /** Nothing is kept before what was kept has been read. */
  #isOn = false;
  #said: string[] = [];

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
      if (!isSaved(saved)) return null;
      this.#said = saved.said ?? [];
      return saved;
    } catch (cause) {
      // A window that opens as new is better than one that does not open.
      console.warn("what was open could not be read", cause);
      return null;
    }
  }

  /** Whether this was not said yet in this workspace; from now on it was. */
  isNews(id: string): boolean {
    if (this.#said.includes(id)) return false;
    this.#said = [...this.#said, id].slice(-SAID_MAX);
    this.schedule();
    return true;
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
      said: this.#said,
    };
    const value = JSON.stringify(saved);
    if (value === this.#last) return;
    this.#last = value;
    this.client.ask({ cmd: "putState", args: { key: KEY, value } }).catch((cause: unknown) => {
      // Kept again with the next change.
      console.debug("what is open could not be kept", cause);
      this.#last = "";
    });
  }

  stop(): void {
    this.write();
    this.#isOn = false;
    this.#last = "";
    this.#said = [];
  }
}

function isSaved(value: unknown): value is Saved {
  return typeof value === "object" && value !== null && "version" in value && value.version === 1;
}
