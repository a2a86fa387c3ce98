/** Which two files are beside each other. */
import { baseName } from "../../base/paths";

export class Compare {
  /** Chosen first, waits for the second. */
  selected = $state<string | null>(null);
  pair = $state.raw<{ left: string; right: string } | null>(null);

  /** Shows the chosen file beside this one. */
  with(path: string): void {
    if (this.selected === null || this.selected === path) return;
    this.pair = { left: this.selected, right: path };
  }

  get title(): string {
    return this.pair === null ? "Compare" : `${baseName(this.pair.left)} ↔ ${baseName(this.pair.right)}`;
  }

  reset(): void {
    this.selected = null;
    this.pair = null;
  }
}
