/** Esc ends what the window is in (the past, a following) only where nothing nearer to the hand wants it. */
export function isEscFree(): boolean {
  const focused = document.activeElement;
  if (document.querySelector("[role=dialog][aria-modal=true], [role=menu], dialog[open], .suggest-widget.visible") !== null) return false;
  const isField = focused instanceof HTMLInputElement || focused instanceof HTMLSelectElement;
  // A card beside the work wants it only while the keyboard is in it.
  return !isField && focused?.closest("[role=dialog], .find-widget") == null;
}
