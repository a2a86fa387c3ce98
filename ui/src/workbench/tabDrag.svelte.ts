/** Dragging a tab with the pointer (no HTML5 drag and drop: it fails in WebKitGTK). */
import type { Tab } from "../state/tabs.svelte";

export interface DropPlace {
  group: number;
  /** Before the tab that is at this place now. */
  index: number;
}

const BEGINS_AFTER_PX = 6;

class TabDrag {
  /** Where the tab would go; null when nothing is dragged. */
  place = $state.raw<DropPlace | null>(null);

  begin(down: PointerEvent, _tab: Tab, drop: (place: DropPlace | null) => void): void {
    const start_x = down.clientX;
    let isDragging = false;
    const move = (event: PointerEvent): void => {
      isDragging ||= Math.abs(event.clientX - start_x) > BEGINS_AFTER_PX;
      if (isDragging) this.place = placeAt(event.clientX, event.clientY);
    };
    const end = (event: Event): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      const { place } = this;
      this.place = null;
      if (isDragging && event.type === "pointerup") drop(place);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }
}

export const tabDrag = new TabDrag();

function placeAt(x: number, y: number): DropPlace | null {
  for (const strip of document.querySelectorAll<HTMLElement>("[data-tabgroup]")) {
    const box = strip.getBoundingClientRect();
    if (x < box.left || x > box.right || y < box.top - 40 || y > box.bottom + 40) continue;
    const tabs = [...strip.querySelectorAll<HTMLElement>("[data-tab]")];
    const index = tabs.findIndex((tab) => x < tab.getBoundingClientRect().left + tab.offsetWidth / 2);
    return { group: Number(strip.dataset["tabgroup"]), index: index < 0 ? tabs.length : index };
  }
  return null;
}

/** Where in the strip the mark for a place stands, in pixels. */
export function dropPlace(strip: HTMLElement | undefined, index: number): number {
  const tabs = [...(strip?.querySelectorAll<HTMLElement>("[data-tab]") ?? [])];
  const tab = tabs[index];
  if (tab !== undefined) return tab.offsetLeft;
  const last = tabs.at(-1);
  return last === undefined ? 0 : last.offsetLeft + last.offsetWidth - 2;
}
