/** The tree as it is while something is typed into the filter box: only what matches, and the folders above it. */
import type { Entry } from "../api/generated";
import { ancestors, baseName, compareNames, parentOf } from "../base/paths";
import { hasAllWords } from "../base/words";

export interface FilteredRow {
  entry: Entry;
  depth: number;
  isExpanded: boolean;
}

/** More than anybody reads; the rest is left out. */
export const MATCHES_MAX = 2_000;

/** Rows for the files that match, folders first, in the order of the tree. */
export function filterTree(paths: readonly string[], typed: string, collapsed: ReadonlySet<string>): FilteredRow[] {
  const matches = paths.filter((path) => hasAllWords(path, typed)).slice(0, MATCHES_MAX);
  const folders = new Set(matches.flatMap(ancestors));
  const inside = new Map<string, Entry[]>();
  const add = (path: string, kind: Entry["kind"]): void => {
    const entry: Entry = { name: baseName(path), path, kind, fileId: null, executable: false, ignored: false, change: null };
    inside.set(parentOf(path), [...(inside.get(parentOf(path)) ?? []), entry]);
  };
  for (const folder of [...folders].sort(compareNames)) add(folder, "folder");
  for (const path of [...matches].sort(compareNames)) add(path, "text");
  const rows: FilteredRow[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const entry of inside.get(folder) ?? []) {
      const isExpanded = entry.kind === "folder" && !collapsed.has(entry.path);
      rows.push({ entry, depth, isExpanded });
      if (isExpanded) walk(entry.path, depth + 1);
    }
  };
  walk("", 0);
  return rows;
}
