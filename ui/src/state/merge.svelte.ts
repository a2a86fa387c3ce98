/** Merges of work done apart, and what somebody was told while away. Decides nothing. */
import type { Client } from "../api/client";
import type { Merged, WhileAway } from "../api/generated";
import { Emitter } from "../base/emitter";

export class Merges {
  /** The newest with places that both sides changed, of those told since the workspace was opened. */
  last = $state.raw<Merged | null>(null);
  /** By the mark that was made here: what was chosen stands in the review of one, so that each is asked for once. */
  readonly #byMark = new Map<string, Merged>();
  away = $state.raw<WhileAway | null>(null);
  /** As it was told, whether or not it is on the screen. */
  #told: WhileAway | null = null;
  readonly #merged = new Emitter<Merged>();
  readonly onMerged = this.#merged.on;

  constructor(private readonly client: Client) {
    client.onEvent((event) => {
      if (event.event !== "merged") return;
      if (event.data.places.length > 0) this.last = this.#known(event.data);
      this.#merged.fire(event.data);
    });
  }

  /** A workspace was opened: what others did since it was open here last. */
  async start(): Promise<void> {
    this.stop();
    await this.showAway();
  }

  #known(merged: Merged): Merged {
    if (merged.beforeOurs !== null) this.#byMark.set(merged.beforeOurs, merged);
    return merged;
  }

  /** The merge of a mark “Before merge”, or the newest. Null: there is none to be reviewed. */
  async of(mark: string | null): Promise<Merged | null> {
    const known = mark === null ? this.last : this.#byMark.get(mark);
    if (known != null) return known;
    const { merged } = await this.client.get("merged", { cmd: "merged", args: { deltaId: mark } });
    if (merged === null) return null;
    // The newest may be one that was asked for by its mark before.
    return this.#byMark.get(merged.beforeOurs ?? "") ?? this.#known(merged);
  }

  /** Shows it (again). False: there was nothing. */
  async showAway(): Promise<boolean> {
    try {
      this.#told ??= (await this.client.get("away", { cmd: "whileAway" })).away;
    } catch {
      // It is in the timeline all the same.
    }
    this.away = this.#told !== null && this.#told.people.length > 0 ? this.#told : null;
    return this.away !== null;
  }

  stop(): void {
    this.last = null;
    this.#byMark.clear();
    this.away = null;
    this.#told = null;
  }
}
