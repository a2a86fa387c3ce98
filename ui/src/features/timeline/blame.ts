/** From who wrote which characters to who changed which line last. Pure. */
import type { Author, BlameSpan } from "../../api/generated";

/** The newest change in a line. */
export interface LineChange {
  author: Author;
  at_ms: number;
  /** Moment in the file's timeline. */
  index: number;
}

/** Line by line, from the first. A line's own line feed is part of it. */
export function lineChanges(text: string, spans: readonly BlameSpan[]): LineChange[] {
  const lines: LineChange[] = [];
  let s = 0;
  let start = 0;
  while (start <= text.length && spans.length > 0) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed + 1;
    while (s < spans.length - 1 && endOf(spans[s]) <= start) s += 1;
    let newest = spans[s] as BlameSpan;
    for (let i = s + 1; i < spans.length && (spans[i] as BlameSpan).position < end; i += 1) {
      const span = spans[i] as BlameSpan;
      if (span.index > newest.index) newest = span;
    }
    lines.push({ author: newest.author, at_ms: newest.atMs, index: newest.index });
    if (feed < 0) break;
    start = end;
  }
  return lines;
}

function endOf(span: BlameSpan | undefined): number {
  return span === undefined ? 0 : span.position + span.length;
}

export interface AuthorRun {
  /** Lines counted from 1, both inclusive. */
  first: number;
  last: number;
  author: Author;
}

/** Neighbouring lines of one author. */
export function authorRuns(lines: readonly LineChange[]): AuthorRun[] {
  const runs: AuthorRun[] = [];
  lines.forEach(({ author }, i) => {
    const run = runs.at(-1);
    if (run !== undefined && run.author.id === author.id) run.last = i + 1;
    else runs.push({ first: i + 1, last: i + 1, author });
  });
  return runs;
}

/** Whether these spans are of a text of this length: what is still on its way to the engine is not in them. */
export function fits(length: number, spans: readonly BlameSpan[]): boolean {
  return endOf(spans.at(-1)) === length;
}
