/** What others changed last in the text that is open, for whoever asks. Announces nothing by itself. */
import type { Splice, ViewPatch } from "../../api/generated";
import { agoInWords, characters } from "../../base/words";

/** Edits of one person with pauses no longer than this are one. */
const BURST_MS = 5_000;

export interface LastEdit {
  viewId: number;
  device: string;
  /** In the text after the edit. */
  position: number;
  added: number;
  removed: number;
  at_ms: number;
}

export class LastEdits {
  #last: LastEdit | null = null;

  hear(patch: ViewPatch, now_ms: number): void {
    if (patch.source !== "peer" || patch.device === undefined) return;
    const { added, removed, position } = sumOf(patch.splices);
    const before = this.#last;
    const goesOn = before !== null && before.device === patch.device && before.viewId === patch.viewId && now_ms - before.at_ms <= BURST_MS;
    this.#last = {
      viewId: patch.viewId,
      device: patch.device,
      position,
      added: added + (goesOn ? before.added : 0),
      removed: removed + (goesOn ? before.removed : 0),
      at_ms: now_ms,
    };
  }

  get last(): LastEdit | null {
    return this.#last;
  }

  forget(): void {
    this.#last = null;
  }
}

function sumOf(splices: readonly Splice[]): { added: number; removed: number; position: number } {
  let [added, removed, end] = [0, 0, 0];
  for (const [position, deleted, inserted] of splices) {
    added += inserted.length;
    removed += deleted;
    end = position + inserted.length;
  }
  return { added, removed, position: end };
}

/** "Bo, lexer.rs, line 43, added 12 characters, 5 seconds ago" */
export function inWords({ added, removed, at_ms }: LastEdit, name: string, place: string, now_ms: number): string {
  const what = [added > 0 ? `added ${characters(added)}` : "", removed > 0 ? `removed ${characters(removed)}` : ""].filter((part) => part !== "");
  return [name, place, what.join(" and "), agoInWords(at_ms, now_ms)].join(", ");
}
