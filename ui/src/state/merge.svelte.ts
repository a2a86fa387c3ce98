/** The newest merge of work done apart, and what somebody was told while away. Decides nothing. */
import type { Client } from "../api/client";
import type { Merged, WhileAway } from "../api/generated";
import { Emitter } from "../base/emitter";

export class Merges {
  /** The newest with places that both sides changed; they can be reviewed for as long as the window is open. */
  last = $state.raw<Merged | null>(null);
  away = $state.raw<WhileAway | null>(null);
  /** As it was told, whether or not it is on the screen. */
  #told: WhileAway | null = null;
  readonly #merged = new Emitter<Merged>();
  readonly onMerged = this.#merged.on;

  constructor(private readonly client: Client) {
    client.onEvent((event) => {
      if (event.event !== "merged") return;
      if (event.data.places.length > 0) this.last = event.data;
      this.#merged.fire(event.data);
    });
  }

  /** A workspace was opened: what others did since it was open here last. */
  async start(): Promise<void> {
    this.stop();
    await this.showAway();
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
    this.away = null;
    this.#told = null;
  }
}
