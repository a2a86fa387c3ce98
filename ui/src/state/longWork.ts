/** Requests that may take long, in the words of the status bar. Watches; asks nothing itself. */
import type { Asked, Client } from "../api/client";
import type { Progress } from "./progress.svelte";

type Cmd = Asked["cmd"];

/** Only what comes from an act of the person; what has words of its own where it is done is not here. */
const WORDS: Partial<Record<Cmd, string>> = {
  flush: "Saving…",
  save: "Saving…",
  verify: "Checking the history…",
  rename: "Renaming…",
  delete: "Deleting…",
  moveToTrash: "Moving to the trash…",
  duplicate: "Copying…",
  undelete: "Bringing back…",
  undoGroup: "Taking it back…",
  undoLast: "Taking it back…",
  restorePreview: "Looking at what would change…",
  restore: "Restoring…",
  compare: "Comparing…",
  blame: "Looking who wrote this…",
  exportBundle: "Writing the history…",
  exportGit: "Writing the history…",
  importBundle: "Reading the history…",
  openView: "Opening the file…",
};

export function followLongWork(client: Client, progress: Progress): void {
  client.onAsked(({ cmd, answered }) => {
    const words = WORDS[cmd];
    if (words === undefined) return;
    // Whoever asked hears of a refusal.
    progress.track(words, () => answered).catch((cause: unknown) => console.debug("refused:", cmd, cause));
  });
}
