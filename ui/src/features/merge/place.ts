/** Finding again, in a text that has gone on, the place that a merge told of. Pure. */

/** Where `wanted` stands now, nearest to where it stood; null when it is there no more. Only whole lines count. */
export function locate(text: string, position: number, wanted: string): number | null {
  if (position <= text.length && text.startsWith(wanted, position) && isAtLine(text, position)) return position;
  // Nothing cannot be looked for.
  if (wanted === "") return null;
  let best: number | null = null;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (!isAtLine(text, at)) continue;
    if (best !== null && Math.abs(at - position) > Math.abs(best - position)) break;
    best = at;
  }
  return best;
}

function isAtLine(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === "\n";
}

export interface Part {
  text: string;
  isOther: boolean;
}

/** A text in three parts: what it has in common with another at its beginning, what is other, and the common end. */
export function partsOf(text: string, other: string): Part[] {
  const most = Math.min(text.length, other.length);
  let start = 0;
  while (start < most && text[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && text[text.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  // Whole words say more than letters in the middle of them.
  while (start > 0 && /\w/.test(text[start - 1] ?? "") && /\w/.test(text[start] ?? other[start] ?? "")) start -= 1;
  while (end > 0 && /\w/.test(text[text.length - end] ?? "") && /\w/.test(text[text.length - end - 1] ?? other[other.length - end - 1] ?? "")) end -= 1;
  const parts = [
    { text: text.slice(0, start), isOther: false },
    { text: text.slice(start, text.length - end), isOther: true },
    { text: text.slice(text.length - end), isOther: false },
  ];
  return parts.filter((part) => part.text !== "");
}

/** Blanks with which all lines of some texts begin, to be left out where they are shown beside each other. */
export function indentOf(texts: readonly string[]): number {
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "");
  const [first = ""] = lines;
  let indent = 0;
  while (/[ \t]/.test(first.charAt(indent)) && lines.every((line) => line.charAt(indent) === first.charAt(indent))) indent += 1;
  return indent;
}

export function withoutIndent(text: string, indent: number): string {
  return text.replace(/\n$/, "").split("\n").map((line) => line.slice(indent)).join("\n");
}
