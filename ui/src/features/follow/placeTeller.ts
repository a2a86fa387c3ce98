/**
 * Tells where the person here is: at most twenty times a second, always the last state, never the same twice. What moves
 * only because others type may wait longer, or twelve people would answer each other's every key.
 */
import type { Place } from "../../api/generated";

export const SOON_MS = 50;
export const LATER_MS = 500;

export interface TellerPort {
  /** Null when it cannot be said now (a composition is under way): asked again later. */
  read(): Place | null;
  send(place: Place): void;
  now(): number;
  after(ms: number, run: () => void): () => void;
}

export class PlaceTeller {
  #isOn = false;
  #last = "";
  #sentAt_ms = Number.NEGATIVE_INFINITY;
  #due_ms = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(private readonly port: TellerPort) {}

  /** Somebody hears it, or nobody does any more. */
  set isOn(isOn: boolean) {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    if (isOn) this.anew();
    else this.#forget();
  }

  /** Somebody came who has not heard anything yet. */
  anew(): void {
    this.#last = "";
    this.changed(SOON_MS);
  }

  /** Something of it may be otherwise; it is told `within_ms`. */
  changed(within_ms: number = SOON_MS): void {
    if (!this.#isOn) return;
    const now_ms = this.port.now();
    const due_ms = within_ms === SOON_MS ? Math.max(now_ms, this.#sentAt_ms + SOON_MS) : now_ms + within_ms;
    if (due_ms >= this.#due_ms) return;
    this.#cancel?.();
    this.#due_ms = due_ms;
    if (due_ms <= now_ms) this.#tell();
    else this.#cancel = this.port.after(due_ms - now_ms, () => this.#tell());
  }

  #tell(): void {
    this.#forget();
    const place = this.port.read();
    if (place === null) {
      this.changed(LATER_MS);
      return;
    }
    const told = JSON.stringify(place);
    if (told === this.#last) return;
    this.#last = told;
    this.#sentAt_ms = this.port.now();
    this.port.send(place);
  }

  #forget(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#due_ms = Number.POSITIVE_INFINITY;
  }
}
