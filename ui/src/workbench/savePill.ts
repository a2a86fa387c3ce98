/** What the pill in the status bar says of the save state: word and shape, not only colour. */
import type { SaveState } from "../api/generated";
import { clock, plural } from "../base/words";

export interface Pill {
  shape: string;
  text: string;
  kind: "good" | "busy" | "trouble";
  title: string;
}

export function pillOf(save: SaveState): Pill {
  switch (save.kind) {
    case "saved": {
      const when = save.savedMs === null ? "Everything is saved on this computer." : `Saved on this computer at ${clock(save.savedMs)}.`;
      return { shape: "●", text: "Saved here", kind: "good", title: when };
    }
    case "saving": {
      const waiting = save.nUnwritten === 0 ? "" : ` ${plural(save.nUnwritten, "file")} still to be written to the folder.`;
      return { shape: "◐", text: "Saving…", kind: "busy", title: `Changes are being kept.${waiting}` };
    }
    default:
      return { shape: "▲", text: "Needs you", kind: "trouble", title: save.message ?? "Something could not be saved." };
  }
}
