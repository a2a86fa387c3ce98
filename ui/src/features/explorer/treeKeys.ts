/** The keyboard of the tree: arrows, Enter, Space, Home, End, type-to-find. */
import type { FilesState, Row } from "../../state/files.svelte";
import { parentOf } from "../../base/paths";

export interface TreeActs {
  open(row: Row, isPreview: boolean): void;
  toggle(row: Row): void;
}

const PAGE_ROWS = 20;
const TYPING_MS = 700;

export class TreeKeys {
  #typed = "";
  #typed_ms = 0;

  constructor(
    private readonly files: FilesState,
    private readonly acts: TreeActs,
    private readonly now: () => number = Date.now,
  ) {}

  /** True when the key was the tree's. */
  handle(event: { key: string; ctrlKey: boolean; shiftKey: boolean; altKey: boolean }): boolean {
    const { files } = this;
    const { rows } = files;
    const at = rows.findIndex((row) => row.id === files.focusedId);
    const row = rows[at];
    if (event.altKey) return false;
    switch (event.key) {
      case "ArrowDown":
        return this.#to(at < 0 ? 0 : at + 1, event);
      case "ArrowUp":
        return this.#to(at < 0 ? 0 : at - 1, event);
      case "Home":
        return this.#to(0, event);
      case "End":
        return this.#to(rows.length - 1, event);
      case "PageDown":
        return this.#to(Math.min(rows.length - 1, at + PAGE_ROWS), event);
      case "PageUp":
        return this.#to(Math.max(0, at - PAGE_ROWS), event);
      case "ArrowRight":
        return row !== undefined && this.#right(row, at);
      case "ArrowLeft":
        return row !== undefined && this.#left(row);
      case "Enter":
        if (row !== undefined) this.acts.open(row, false);
        return row !== undefined;
      case " ":
        if (row !== undefined) this.acts.open(row, true);
        return row !== undefined;
      default:
        return event.key.length === 1 && !event.ctrlKey && this.#type(event.key, at);
    }
  }

  #to(index: number, event: { shiftKey: boolean }): boolean {
    const row = this.files.rows[Math.max(0, Math.min(this.files.rows.length - 1, index))];
    if (row === undefined) return true;
    if (event.shiftKey) this.files.selectTo(row.id);
    else this.files.selectOnly(row.id);
    return true;
  }

  #right(row: Row, at: number): boolean {
    const canOpen = (row.kind === "entry" && row.entry.kind === "folder") || row.kind === "deletedHead";
    if (!canOpen) return true;
    if (row.isExpanded) this.#to(at + 1, { shiftKey: false });
    else this.acts.toggle(row);
    return true;
  }

  #left(row: Row): boolean {
    if ((row.kind === "entry" || row.kind === "deletedHead") && row.isExpanded) this.acts.toggle(row);
    else if (row.kind === "entry" && parentOf(row.entry.path) !== "") this.files.selectOnly(parentOf(row.entry.path));
    return true;
  }

  #type(letter: string, at: number): boolean {
    const now_ms = this.now();
    this.#typed = now_ms - this.#typed_ms > TYPING_MS ? letter : this.#typed + letter;
    this.#typed_ms = now_ms;
    const { rows } = this.files;
    // One letter again and again walks; more letters narrow from where one is.
    const from = this.#typed.length === 1 ? at + 1 : Math.max(0, at);
    const order = [...rows.slice(from), ...rows.slice(0, from)];
    const wanted = this.#typed.toLowerCase();
    const found = order.find((row) => row.kind === "entry" && row.entry.name.toLowerCase().startsWith(wanted));
    if (found !== undefined) this.files.selectOnly(found.id);
    return true;
  }
}
