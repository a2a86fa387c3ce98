/** Workspace paths: relative, separated by "/", "" is the root. */

/** How the path of a text without a name begins; none in a workspace does. */
export const UNTITLED = "/untitled/";

export function isUntitled(path: string): boolean {
  return path.startsWith(UNTITLED);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

export function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** What a workspace is about stands in it. */
export function isReadme(path: string): boolean {
  return /^readme(\.|$)/i.test(path);
}

/** How many characters of a name F2 selects: all but the ending. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? dot : name.length;
}

/** True when `path` is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** The path after `from` was renamed to `to`; the same path when it was not touched. */
export function moved(path: string, from: string, to: string): string {
  if (path === from) return to;
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : path;
}

/** All folders above a path, outermost first, without the root. */
export function ancestors(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** "a.txt" becomes "a copy.txt", then "a copy 2.txt". */
export function copyName(name: string, isTaken: (name: string) => boolean): string {
  const stem = name.slice(0, stemLength(name)).replace(/ copy( \d+)?$/, "");
  const ending = name.slice(stemLength(name));
  for (let n = 1; ; n += 1) {
    const candidate = `${stem} copy${n === 1 ? "" : ` ${n}`}${ending}`;
    if (!isTaken(candidate)) return candidate;
  }
}

/** Folders first, then by name as people count: a2 before a10. */
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** For tabs of the same name: the shortest end of the folder that tells each path apart. */
export function distinguish(paths: readonly string[]): Map<string, string> {
  const result = new Map<string, string>();
  const byName = groupByName(new Set(paths));
  for (const same of byName.values()) {
    if (same.length < 2) continue;
    for (const path of same) result.set(path, shortestEnd(path, same));
  }
  return result;
}

function shortestEnd(path: string, others: readonly string[]): string {
  const parts = path.split("/").slice(0, -1);
  for (let n = 1; n <= parts.length; n += 1) {
    const end = parts.slice(-n).join("/");
    const isUnique = others.every((other) => other === path || other.split("/").slice(0, -1).slice(-n).join("/") !== end);
    if (isUnique) return end;
  }
  return parts.length === 0 ? "./" : parts.join("/");
}

function groupByName(paths: Iterable<string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const group = groups.get(baseName(path));
    if (group === undefined) groups.set(baseName(path), [path]);
    else group.push(path);
  }
  return groups;
}

/** "art/logo (Bo 14:55).psd" is another version of "art/logo.psd". */
export function originalOf(path: string): string {
  return path.replace(/ \([^()/]* \d\d[.:]\d\d\)(?=(\.[^./]*)?$)/, "");
}
