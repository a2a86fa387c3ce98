/** What the pill in the status bar says of the save state: word and shape, not only colour. */
import type { SaveState } from "../api/generated";
import { clock, plural } from "../base/words";

export interface Pill {
  shape: string;
  text: string;
  kind: "good" | "busy" | "away" | "trouble";
  title: string;
}

/** `n_unsaved`: files that the folder gets only when they are saved. */
export function pillOf(save: SaveState, n_unsaved = 0): Pill {
  switch (save.kind) {
    case "saved": {
      const when = save.savedMs === null ? "Everything is saved on this computer." : `Saved on this computer at ${clock(save.savedMs)}.`;
      if (n_unsaved === 0) return { shape: "●", text: "Saved here", kind: "good", title: when };
      const those = `${plural(n_unsaved, "file")} in the folder ${n_unsaved === 1 ? "gets" : "get"} it when saved: Ctrl+S for one, Ctrl+K S for all.`;
      return { shape: "●", text: `Saved here · ${plural(n_unsaved, "file")} not in the folder`, kind: "good", title: `${when} ${those}` };
    }
    case "saving": {
      const waiting = save.nUnwritten === 0 ? "" : ` ${plural(save.nUnwritten, "file")} still to be written to the folder.`;
      return { shape: "◐", text: "Saving…", kind: "busy", title: `Changes are being kept.${waiting}` };
    }
    default:
      return { shape: "▲", text: "Needs you", kind: "trouble", title: save.message ?? "Something could not be saved." };
  }
}
