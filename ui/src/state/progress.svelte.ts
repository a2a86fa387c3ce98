/** Work that takes long, for the status bar: what is done, how far it is, how long already, and how to stop it. Does no work itself. */
import { untrack } from "svelte";

/** `UX.md` §2, 51: shorter work needs no words here. */
const SHOWN_AFTER_MS = 400;
/** Then it can be stopped, if it can. */
const STOPPED_AFTER_MS = 2_000;
/** Then the seconds are counted, and the end is told to whoever looks elsewhere. */
const LONG_AFTER_MS = 10_000;
const SECOND_MS = 1_000;

export interface Work {
  /** "Copying 31 of 42 files" */
  readonly text: string;
  readonly isStopped: boolean;
  say(text: string): void;
}

export interface TrackOptions {
  /** It can be stopped: what does it looks at `isStopped` between its steps, or is told here. */
  onStop?: () => void;
  /** What is said at its end when it took long and nobody looked. */
  done?: string;
}

class Piece implements Work {
  text = $state("");
  isShown = $state(false);
  isStopped = $state(false);
  canStop = $state(false);
  /** Whole seconds, once it takes long. */
  n_seconds = $state<number | null>(null);

  constructor(text: string) {
    this.text = text;
  }

  say(text: string): void {
    this.text = text;
  }

  /** As the status bar has it. */
  get sentence(): string {
    return this.n_seconds === null ? this.text : `${this.text} · ${this.n_seconds} s`;
  }
}

export class Progress {
  #pieces = $state.raw<readonly Piece[]>([]);
  readonly #stops = new Map<Piece, () => void>();
  /** Told at the end of work that took long. */
  onLongDone: (sentence: string) => void = () => undefined;

  constructor(
    private readonly after: (ms: number, run: () => void) => void = (ms, run) => void setTimeout(run, ms),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The newest work that takes long. */
  readonly shown = $derived(this.#pieces.findLast((piece) => piece.isShown) ?? null);

  /** Does something, in the status bar when it takes long. */
  async track<T>(text: string, run: (work: Work) => Promise<T>, { onStop, done }: TrackOptions = {}): Promise<T> {
    const piece = new Piece(text);
    const began_ms = this.now();
    // Whoever asks while it renders must not be asked to render again for this.
    this.#pieces = [...untrack(() => this.#pieces), piece];
    this.after(SHOWN_AFTER_MS, () => (piece.isShown = true));
    if (onStop !== undefined) {
      this.#stops.set(piece, onStop);
      this.after(STOPPED_AFTER_MS, () => (piece.canStop = true));
    }
    this.after(LONG_AFTER_MS, () => this.#count(piece, began_ms));
    try {
      const result = await run(piece);
      if (this.now() - began_ms >= LONG_AFTER_MS && !piece.isStopped) this.onLongDone(done ?? `Done: ${text.replace(/…$/, "")}.`);
      return result;
    } finally {
      this.#pieces = this.#pieces.filter((one) => one !== piece);
      this.#stops.delete(piece);
    }
  }

  #count(piece: Piece, began_ms: number): void {
    if (!this.#pieces.includes(piece)) return;
    piece.n_seconds = Math.floor((this.now() - began_ms) / SECOND_MS);
    this.after(SECOND_MS, () => this.#count(piece, began_ms));
  }

  /** The work that is shown ends after the step it is at. */
  stop(): void {
    const { shown } = this;
    if (shown === null || shown.isStopped) return;
    shown.isStopped = true;
    this.#stops.get(shown)?.();
  }
}

export const progress = new Progress();
