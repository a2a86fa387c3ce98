/** The keyboard of the list of results: arrows, Home, End, pages. */
import { fileId } from "./rows";
import type { Search } from "./search.svelte";

const PAGE_ROWS = 20;

/** True when the key was one that moves in the list. */
export function moveIn(search: Search, key: string): boolean {
  const { rows } = search;
  const at = rows.findIndex((row) => row.id === search.focusedId);
  const row = rows[at];
  const to = (index: number): boolean => {
    search.focusedId = rows[Math.max(0, Math.min(rows.length - 1, index))]?.id ?? null;
    return true;
  };
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return to(at < 0 ? 0 : at - 1);
    case "Home":
      return to(0);
    case "End":
      return to(rows.length - 1);
    case "PageDown":
      return to(at + PAGE_ROWS);
    case "PageUp":
      return to(at - PAGE_ROWS);
    case "ArrowRight":
      if (row?.kind !== "file") return true;
      if (row.isExpanded) return to(at + 1);
      search.setClosed(row.file.path, false);
      return true;
    case "ArrowLeft":
      if (row?.kind === "match") search.focusedId = fileId(row.file.path);
      else if (row?.kind === "file") search.setClosed(row.file.path, true);
      return true;
    default:
      return false;
  }
}
