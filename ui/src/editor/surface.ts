/**
 * A Monaco model as the `TextSurface` of an editor link: what the engine sends goes in without coming back as an edit,
 * and past Monaco's own undo stack (undo is the engine's).
 */
import type { PatchSource, Splice } from "../api/generated";
import type { TextSnapshot, TextSurface } from "./link";
import { joinLines } from "./longLines";
import type { Monaco, TextModel } from "./monaco";
import { steadily } from "./steadyView";

/** After so many splices it is looked whether lines have fallen into pieces. */
const SPLICES_BETWEEN_LOOKS = 500;

export class ModelSurface implements TextSurface {
  #isApplying = false;
  #n_splices = 0;

  constructor(
    private readonly monaco: Monaco,
    readonly model: TextModel,
  ) {}

  /** True while a change of the engine is being put in: the model's change event is then not the user's. */
  get isApplying(): boolean {
    return this.#isApplying;
  }

  snapshot(): TextSnapshot {
    return this.model.createSnapshot();
  }

  apply(splices: Splice[], source: PatchSource): void {
    const put = (): void =>
      this.#guarded(() => {
        if (isAscending(splices)) this.model.applyEdits(this.#atOnce(splices));
        else for (const splice of splices) this.model.applyEdits(this.#atOnce([splice]));
      });
    // One's own undo takes the caret along; what others do leaves the view where it is.
    if (source === "undo") put();
    else steadily(this.monaco, this.model, splices, put);
    this.#n_splices += splices.length;
    if (this.#n_splices < SPLICES_BETWEEN_LOOKS) return;
    this.#n_splices = 0;
    joinLines(this.model);
  }

  /** Keeps what is the same at both ends, so that carets outside the change stay. */
  replaceAll(text: string): void {
    const old = this.model.getValue();
    if (old === text) return;
    const [start, endOld, endNew] = changedRange(old, text);
    this.#guarded(() => this.model.applyEdits(this.#atOnce([[start, endOld - start, text.slice(start, endNew)]])));
  }

  #atOnce(splices: readonly Splice[]): { range: import("monaco-editor/editor/editor.api").IRange; text: string }[] {
    let grown = 0;
    return splices.map(([position, deleted, inserted]) => {
      const start = this.model.getPositionAt(position - grown);
      const end = this.model.getPositionAt(position - grown + deleted);
      grown += inserted.length - deleted;
      return { range: this.monaco.Range.fromPositions(start, end), text: inserted };
    });
  }

  #guarded(run: () => void): void {
    this.#isApplying = true;
    try {
      run();
    } finally {
      this.#isApplying = false;
    }
  }
}

/** Each splice begins behind what the one before has put in: they can be applied as one edit. */
export function isAscending(splices: readonly Splice[]): boolean {
  let end = 0;
  return splices.every(([position, , inserted], index) => {
    const isBehind = index === 0 || position > end;
    end = position + inserted.length;
    return isBehind;
  });
}

/** Where two texts differ: start, end in the old, end in the new. Never inside a surrogate pair. */
export function changedRange(old: string, text: string): [number, number, number] {
  const most = Math.min(old.length, text.length);
  let start = 0;
  while (start < most && old.charCodeAt(start) === text.charCodeAt(start)) start += 1;
  if (isHigh(old.charCodeAt(start - 1))) start -= 1;
  let same = 0;
  while (same < most - start && old.charCodeAt(old.length - 1 - same) === text.charCodeAt(text.length - 1 - same)) same += 1;
  if (isLow(old.charCodeAt(old.length - same))) same -= 1;
  return [start, old.length - same, text.length - same];
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
