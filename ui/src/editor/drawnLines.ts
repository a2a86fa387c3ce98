/** What a screen reader reads of an editor is its text field; the lines drawn for the eyes would be read a second time. */
import type { editor } from "monaco-editor/editor/editor.api";

/** Hides everything that Monaco only draws. The text field, the margin's buttons and the find box stay. */
export function hideDrawnLines(shown: editor.ICodeEditor): void {
  for (const part of shown.getDomNode()?.querySelectorAll(".view-lines, .view-overlays, .margin-view-overlays, .minimap, .decorationsOverviewRuler") ?? []) {
    part.setAttribute("aria-hidden", "true");
  }
}
