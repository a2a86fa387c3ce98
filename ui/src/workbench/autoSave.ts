/**
 * `files.autoSave: onFocusChange`, the window's half: what waits to be saved is saved as soon as the keyboard is not in it.
 * The engine knows what waits; nothing here decides what is kept.
 */
import type { Client } from "../api/client";
import type { Session } from "../state/session.svelte";
import type { EditorArea } from "./editorArea.svelte";

/** The files to save now: all that wait but the one that is being typed into. */
export function leftFiles(waiting: Iterable<string>, typedInto: string | null, underWay: ReadonlySet<string>): string[] {
  return [...waiting].filter((path) => path !== typedInto && !underWay.has(path));
}

/** To be called in an effect: runs again when what waits or what has the keyboard changes. */
export function autoSaver(client: Client, session: Session, editors: EditorArea, onTrouble: (cause: unknown) => void): () => void {
  const underWay = new Set<string>();
  return () => {
    if (session.settings.autoSave !== "onFocusChange") return;
    for (const path of leftFiles(session.unsaved, editors.typedInto, underWay)) {
      underWay.add(path);
      client
        .ask({ cmd: "save", args: { path } })
        .catch(onTrouble)
        .finally(() => underWay.delete(path));
    }
  };
}
