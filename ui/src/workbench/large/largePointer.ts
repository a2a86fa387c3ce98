/** Marking rows with the pointer, and scrolling while it rests beyond the edge. Must never know what the rows hold. */
import type { LargePlace } from "../../api/generated";
import type { LargeView } from "./largeView.svelte";

/** How often it goes on while the pointer rests. */
const DRAG_MS = 40;

/** What the rows are drawn in, as far as it is there, and what a row takes. */
export interface Drawn {
  readonly layer: HTMLElement | undefined;
  readonly text: HTMLElement | undefined;
  readonly row_px: number;
  readonly height_px: number;
}

export class LargePointer {
  #dragging: ReturnType<typeof setInterval> | undefined;
  #at_px = { x: 0, y: 0 };

  constructor(
    private readonly view: LargeView,
    private readonly drawn: Drawn,
  ) {}

  /** The place under a point of the window. */
  placeAt(x: number, y: number): LargePlace {
    const { view } = this;
    const { layer, row_px } = this.drawn;
    const box = layer?.getBoundingClientRect();
    const row = Math.max(0, Math.min(view.n_rows - 1, Math.floor(view.top + (y - (box?.top ?? 0)) / row_px)));
    const element = layer?.querySelector<HTMLElement>(`[data-row="${row}"]`);
    if (element == null) return { row, column: 0 };
    const line = element.getBoundingClientRect();
    const range = document.caretRangeFromPoint(Math.max(x, line.left), line.top + line.height / 2);
    if (range === null || !element.contains(range.startContainer)) return { row, column: x <= line.left ? 0 : (view.row(row)?.text.length ?? 0) };
    const before = document.createRange();
    before.selectNodeContents(element);
    before.setEnd(range.startContainer, range.startOffset);
    return { row, column: before.toString().length };
  }

  pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    const { layer } = this.drawn;
    layer?.focus({ preventScroll: true });
    this.view.place(this.placeAt(event.clientX, event.clientY), event.shiftKey);
    layer?.setPointerCapture(event.pointerId);
    this.moved(event);
    clearInterval(this.#dragging);
    // Goes on while the pointer rests beyond the edge.
    this.#dragging = setInterval(() => this.#drag(), DRAG_MS);
  }

  moved(event: PointerEvent): void {
    this.#at_px = { x: event.clientX, y: event.clientY };
  }

  dropped(): void {
    clearInterval(this.#dragging);
    this.#dragging = undefined;
  }

  #drag(): void {
    const { text, height_px, row_px } = this.drawn;
    const box = text?.getBoundingClientRect();
    if (box === undefined) return;
    const { x, y } = this.#at_px;
    const beyond = y < box.top ? y - box.top : Math.max(0, y - box.top - height_px);
    if (beyond !== 0) this.view.scrollTo(this.view.top + beyond / row_px);
    this.view.place(this.placeAt(x, Math.max(box.top, Math.min(box.top + height_px - 1, y))), true);
  }
}
