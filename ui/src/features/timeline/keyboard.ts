/** Whose the keyboard is when the past comes over the text and when it goes. */
import type { EditorArea } from "../../workbench/editorArea.svelte";
import type { PastPane } from "./pastPane";

/** Keys belong to what is seen; whatever else has them, like the strip that is being dragged, keeps them. */
export function keepKeyboard(pane: Pick<PastPane, "focus"> | null, editors: Pick<EditorArea, "activePane" | "focusSoon">): void {
  if (pane === null) {
    // Once what had the keyboard is gone from the page.
    setTimeout(() => {
      if (isNowhere()) editors.focusSoon();
    });
  } else if (editors.activePane.hasFocus || isNowhere()) pane.focus();
}

/** A part of the window does nothing with keys by itself. */
function isNowhere(): boolean {
  const { activeElement, body } = document;
  return activeElement === body || activeElement?.matches("[data-region]") === true;
}
