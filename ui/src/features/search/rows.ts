/** What was found as rows of a list: a file, and below it its matches, unless it is closed. */
import type { FileMatches, SearchMatch } from "../../api/generated";

export interface FileRow {
  kind: "file";
  id: string;
  file: FileMatches;
  isExpanded: boolean;
}

export interface MatchRow {
  kind: "match";
  id: string;
  file: FileMatches;
  match: SearchMatch;
  /** From 1, in its file. */
  index: number;
}

export type ResultRow = FileRow | MatchRow;

export function fileId(path: string): string {
  return `file:${path}`;
}

export function matchId(path: string, { position, length }: SearchMatch): string {
  return `match:${position}:${length}:${path}`;
}

export function rowsOf(files: readonly FileMatches[], closed: ReadonlySet<string>): ResultRow[] {
  const rows: ResultRow[] = [];
  for (const file of files) {
    const isExpanded = !closed.has(file.path);
    rows.push({ kind: "file", id: fileId(file.path), file, isExpanded });
    if (!isExpanded) continue;
    file.matches.forEach((match, index) => rows.push({ kind: "match", id: matchId(file.path, match), file, match, index: index + 1 }));
  }
  return rows;
}

/** The list after some files were searched again: what has matches is in its place or at the end, what has none is gone. */
export function merged(files: readonly FileMatches[], again: readonly FileMatches[], paths: readonly string[]): FileMatches[] {
  const searched = new Set(paths);
  const found = new Map(again.map((file) => [file.path, file]));
  const kept = files.flatMap((file) => {
    if (!searched.has(file.path)) return [file];
    const now = found.get(file.path);
    found.delete(file.path);
    return now === undefined ? [] : [now];
  });
  return [...kept, ...found.values()];
}

/** The next match after a row, or before it; round at the end. Null when there is none at all. */
export function nextMatch(files: readonly FileMatches[], from: string | null, step: 1 | -1): { file: FileMatches; match: SearchMatch } | null {
  const all = files.flatMap((file) => [{ id: fileId(file.path), file, match: null }, ...file.matches.map((match) => ({ id: matchId(file.path, match), file, match }))]);
  const at = all.findIndex((one) => one.id === from);
  const start = at < 0 && step < 0 ? 0 : at;
  for (let n = 1; n <= all.length; n += 1) {
    const one = all[(start + n * step + all.length * 2) % all.length];
    if (one?.match != null) return { file: one.file, match: one.match };
  }
  return null;
}
