/**
 * Going through the places that both sides of a merge changed. Each choice is one edit by the person here, undone like
 * any other; the places are held in their texts, whatever is typed meanwhile.
 */
import type { Merged, Overlap } from "../../api/generated";
import type { OpenFile } from "../../editor/models.svelte";
import type { Workbench } from "../../workbench/workbench";
import { locate } from "./place";

export type Choice = "mine" | "theirs" | "right";

const ALWAYS_GROWS = 0;

export class ReviewPlace {
  choice = $state<Choice | null>(null);
  /** What stands there now; null when the place cannot be found any more. */
  now = $state<string | null>(null);
  line = $state(0);
  isReady = $state(false);
  #file: OpenFile | null = null;
  #mark: string | null = null;
  #listening: { dispose(): void } | null = null;

  constructor(readonly overlap: Overlap) {
    this.line = overlap.line;
    this.now = overlap.now;
  }

  hold(file: OpenFile): void {
    const { model } = file;
    this.#file = file;
    this.isReady = true;
    const at = model === null ? null : locate(model.getValue(), this.overlap.position, this.overlap.now);
    if (model === null || at === null) {
      this.now = null;
      return;
    }
    const [start, end] = [model.getPositionAt(at), model.getPositionAt(at + this.overlap.now.length)];
    const range = { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column };
    this.#mark = model.deltaDecorations([], [{ range, options: { stickiness: ALWAYS_GROWS } }])[0] ?? null;
    this.#listening = model.onDidChangeContent(() => this.#read());
    this.#read();
  }

  #read(): void {
    const { model } = this.#file ?? {};
    const range = this.#mark === null ? null : (model?.getDecorationRange(this.#mark) ?? null);
    if (model == null || range === null) return;
    this.now = model.getValueInRange(range);
    this.line = range.startLineNumber;
  }

  get canTake(): boolean {
    return this.isReady && this.overlap.isWhole && this.now !== null && this.#mark !== null && this.#file?.link != null && this.#file.readOnly === null;
  }

  /** Puts one side's text there. */
  take(choice: "mine" | "theirs"): void {
    const { model } = this.#file ?? {};
    const range = this.#mark === null ? null : (model?.getDecorationRange(this.#mark) ?? null);
    if (!this.canTake || model == null || range === null) return;
    const text = choice === "mine" ? this.overlap.ours : this.overlap.theirs;
    if (model.getValueInRange(range) !== text) model.applyEdits([{ range, text }]);
    this.choice = choice;
  }

  get position(): { line: number } {
    return { line: this.line };
  }

  letGo(): OpenFile | null {
    const file = this.#file;
    this.#listening?.dispose();
    if (this.#mark !== null && file?.model?.isDisposed() === false) file.model.deltaDecorations([this.#mark], []);
    this.#listening = null;
    this.#mark = null;
    this.#file = null;
    this.isReady = false;
    return file;
  }
}

export class Review {
  places = $state.raw<readonly ReviewPlace[]>([]);
  at = $state(0);
  /** Of which merge; kept when the page is closed and opened again. */
  merged = $state.raw<Merged | null>(null);
  /** Which holding this is: what one before it asked for is let go. */
  #holding: object | null = null;

  constructor(private readonly workbench: Workbench) {}

  set(merged: Merged): void {
    if (merged === this.merged) return;
    this.release();
    this.merged = merged;
    this.places = merged.places.map((overlap) => new ReviewPlace(overlap));
    this.at = 0;
  }

  clear(): void {
    this.release();
    this.merged = null;
    this.places = [];
  }

  get n_left(): number {
    return this.places.filter((place) => place.choice === null).length;
  }

  /** Holds the texts for as long as the page is open. */
  async hold(): Promise<void> {
    const { files } = this.workbench.editors;
    if (files === null || this.#holding !== null) return;
    const holding = {};
    this.#holding = holding;
    for (const place of this.places) {
      try {
        const file = await files.open(place.overlap.path);
        if (this.#holding === holding) place.hold(file);
        else {
          files.release(file);
          return;
        }
      } catch {
        if (this.#holding !== holding) return;
        // The file is gone: its place has nothing to choose.
        place.now = null;
        place.isReady = true;
      }
    }
  }

  release(): void {
    this.#holding = null;
    for (const place of this.places) {
      const file = place.letGo();
      if (file !== null) this.workbench.editors.files?.release(file);
    }
  }

  walk(by: number): void {
    const n = this.places.length;
    if (n > 0) this.at = (this.at + by + n) % n;
  }

  settle(place: ReviewPlace, choice: Choice): void {
    if (choice === "right") place.choice = "right";
    else place.take(choice);
    const next = this.places.findIndex((one) => one.choice === null);
    if (place.choice !== null && next >= 0) this.at = next;
  }
}
