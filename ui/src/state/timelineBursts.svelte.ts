/**
 * The past as a list, burst by burst, newest first: what the strip shows by place, said in words. Loads page by page.
 * Must never move the handle by itself.
 */
import type { MomentInfo, Reply, Request, Scope } from "../api/generated";

const PAGE = 100;
/** What the engine gives at once. */
const AT_ONCE_MAX = 1_000;

export class BurstList {
  rows = $state.raw<MomentInfo[]>([]);
  /** The first burst of all is among them. */
  isWhole = $state(false);
  #scope: Scope | null = null;
  #isLoading = false;
  #generation = 0;

  constructor(private readonly ask: (request: Request) => Promise<Reply>) {}

  /** The newest, and as many as were there before of the same scope. */
  async load(scope: Scope, n_moments: number): Promise<void> {
    const isSame = this.#scope !== null && nameOf(this.#scope) === nameOf(scope);
    const limit = isSame ? Math.min(AT_ONCE_MAX, Math.max(PAGE, this.rows.length)) : PAGE;
    this.#scope = scope;
    const generation = ++this.#generation;
    const bursts = await this.#page(scope, n_moments, limit);
    if (generation !== this.#generation || bursts === null) return;
    this.rows = bursts;
    this.isWhole = bursts.length < limit;
  }

  /** The next older page. */
  async more(): Promise<void> {
    const oldest = this.rows.at(-1);
    if (this.#scope === null || oldest === undefined || this.isWhole || this.#isLoading) return;
    this.#isLoading = true;
    const generation = this.#generation;
    // Where the oldest begins is not known: it comes again as the first.
    const bursts = await this.#page(this.#scope, oldest.index, PAGE + 1);
    this.#isLoading = false;
    if (generation !== this.#generation || bursts === null) return;
    this.rows = [...this.rows, ...bursts.slice(1)];
    this.isWhole = bursts.length <= PAGE;
  }

  async #page(scope: Scope, before: number, limit: number): Promise<MomentInfo[] | null> {
    try {
      const reply = await this.ask({ cmd: "listBursts", args: { scope, before, limit } });
      return reply.reply === "bursts" ? reply.value.bursts : null;
    } catch {
      // The timeline itself says why it cannot be read.
      return null;
    }
  }

  clear(): void {
    this.#generation += 1;
    this.#scope = null;
    this.rows = [];
    this.isWhole = false;
  }
}

function nameOf(scope: Scope): string {
  return scope.kind === "workspace" ? scope.kind : `${scope.kind} ${scope.path}`;
}
