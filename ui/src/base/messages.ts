/** Sentences with an id in the table of messages (`UX.md` §5), word for word; the tests compare them. */
import { bytes, clock } from "./words";

/** Part in bold, and the rest. */
export interface Wording {
  head: string;
  body: string;
}

/** MSG-DISK-1 */
export function diskFull(saved_ms: number | null): Wording {
  const until = saved_ms === null ? "" : `Everything up to ${clock(saved_ms)} is safe. `;
  return {
    head: "This disk is full, so new changes can't be kept.",
    body: `${until}Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost.`,
  };
}

/** MSG-FILE-1. `canRead` is false where the file is too large even to be shown. */
export function fileTooLarge(name: string, size_bytes: number, canRead: boolean): Wording {
  const read = canRead ? "You can read it here; others" : "Others";
  return { head: `${name} is ${bytes(size_bytes)} — too large to edit together.`, body: `${read} get it as a plain copy when it changes.` };
}

/** MSG-FILE-2 */
export function fileBinary(name: string): string {
  return `${name} isn't text. It is synced whole, and its history has one moment per save.`;
}

/** MSG-CLIP-1 */
export const COPY_FAILED = "Couldn't copy. Select the text and press Ctrl+C.";

/** MSG-CRASH-1 */
export function crashed(saved_ms: number | null): string {
  const until = saved_ms === null ? "" : ` up to ${clock(saved_ms)}`;
  return `CodeSync closed unexpectedly. All changes${until} are here.`;
}

/** MSG-UNDO-1, where the engine does not say who it was. */
export const UNDO_OVERWRITTEN = "Nothing to undo here: that text was changed since.";
