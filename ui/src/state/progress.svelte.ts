/** Work that takes long, for the status bar: what is done, how far it is, and how to stop it. Does no work itself. */

/** `UX.md` §2, 51: shorter work needs no words here. */
const SHOWN_AFTER_MS = 2_000;

export interface Work {
  /** "Copying 31 of 42 files" */
  readonly text: string;
  readonly isStopped: boolean;
  say(text: string): void;
}

class Piece implements Work {
  text = $state("");
  isShown = $state(false);
  isStopped = $state(false);

  constructor(text: string) {
    this.text = text;
  }

  say(text: string): void {
    this.text = text;
  }
}

export class Progress {
  #pieces = $state.raw<readonly Piece[]>([]);

  constructor(private readonly after: (ms: number, run: () => void) => void = (ms, run) => void setTimeout(run, ms)) {}

  /** The newest work that takes long. */
  readonly shown = $derived(this.#pieces.findLast((piece) => piece.isShown) ?? null);

  /** Does something, in the status bar when it takes long. What is done looks at `isStopped` between its steps. */
  async track<T>(text: string, run: (work: Work) => Promise<T>): Promise<T> {
    const piece = new Piece(text);
    this.#pieces = [...this.#pieces, piece];
    this.after(SHOWN_AFTER_MS, () => (piece.isShown = true));
    try {
      return await run(piece);
    } finally {
      this.#pieces = this.#pieces.filter((one) => one !== piece);
    }
  }

  /** The work that is shown ends after the step it is at. */
  stop(): void {
    if (this.shown !== null) this.shown.isStopped = true;
  }
}

export const progress = new Progress();
