/** Dragging rows of the tree with the pointer (no HTML5 drag and drop: it fails in WebKitGTK). */

const BEGINS_AFTER_PX = 6;

class TreeDrag {
  /** Folder under the pointer while something is dragged; "" is the root. */
  target = $state<string | null>(null);
  /** "3 files" beside the pointer. */
  ghost = $state.raw<{ x: number; y: number; text: string } | null>(null);

  begin(down: PointerEvent, paths: () => readonly string[], drop: (paths: readonly string[], folder: string) => void): void {
    let isDragging = false;
    const move = (event: PointerEvent): void => {
      const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      isDragging ||= moved > BEGINS_AFTER_PX;
      if (!isDragging) return;
      const all = paths();
      const [first = ""] = all;
      const text = all.length === 1 ? first.slice(first.lastIndexOf("/") + 1) : `${all.length} items`;
      this.ghost = { x: event.clientX + 12, y: event.clientY + 8, text };
      this.target = folderAt(event.clientX, event.clientY);
    };
    const end = (event: Event): void => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      window.removeEventListener("keydown", escape, true);
      const { target } = this;
      this.target = null;
      this.ghost = null;
      if (isDragging && event.type === "pointerup" && target !== null) drop(paths(), target);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape") end(event);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
    window.addEventListener("keydown", escape, true);
  }
}

export const treeDrag = new TreeDrag();

/** The folder a thing dropped here would go into; null outside the tree. */
export function folderAt(x: number, y: number): string | null {
  const element = document.elementFromPoint(x, y);
  const row = element?.closest<HTMLElement>("[data-folder]");
  if (row != null) return row.dataset["folder"] ?? "";
  return element?.closest("[data-testid='tree']") != null ? "" : null;
}
