/** The one word about saving and syncing in the status bar, and what it says when it changes. Word and shape, not only colour. */
import type { LinkState, Member, SaveState } from "../api/generated";
import { wordingOf } from "../base/messages";
import { plural } from "../base/words";
import { type Pill, pillOf } from "./savePill";
import { connectionInWords } from "./whereabouts";

export const LEFT = "You left this workspace. Your copy stays.";

export interface Standing {
  save: SaveState;
  /** Files that the folder gets only when they are saved. */
  n_unsaved: number;
  link: LinkState;
  /** The others that are connected. */
  here: readonly Member[];
  /** The others that take part, connected or not. */
  n_others: number;
}

/** `state` is the class of it, for tests and for what is read out. */
export interface SyncPill extends Pill {
  state: string;
}

/** What stands in the way of saving goes before everything else; then how the others are. */
export function syncPillOf({ save, n_unsaved, link, here, n_others }: Standing): SyncPill {
  const own = pillOf(save, n_unsaved);
  if (own.kind === "trouble" || link.kind === "alone") return { ...own, state: save.kind };
  const unsaved = n_unsaved === 0 ? "" : ` · ${plural(n_unsaved, "file")} not in the folder`;
  switch (link.kind) {
    case "live":
      return { shape: "●", text: `Live · ${liveWords(link.nOthers, here)}${unsaved}`, kind: "good", title: `${connectedTo(here.length, n_others)} ${own.title}`, state: "live" };
    case "catchingUp": {
      const percent = Math.floor((100 * (link.nAll - link.nLeft)) / Math.max(1, link.nAll));
      const title = `Still on their way: ${plural(link.nLeft, "change")} of ${link.nAll.toLocaleString("en").replaceAll(",", " ")}. ${own.title}`;
      return { shape: "◐", text: `Catching up ${percent} %`, kind: "busy", title, state: "catchingUp" };
    }
    case "offline":
      return { shape: "◌", text: `Offline${unsaved}`, kind: "away", title: wordingOf("MSG-NET-6").body, state: "offline" };
    case "paused":
      return { shape: "‖", text: `Paused${unsaved}`, kind: "away", title: `You paused syncing. ${own.title}`, state: "paused" };
    case "left":
      return { shape: "○", text: `Left${unsaved}`, kind: "away", title: `${LEFT} ${own.title}`, state: "left" };
    case "needsYou":
      return { shape: "▲", text: "Needs you", kind: "trouble", title: link.sentence, state: "needsYou" };
  }
}

function connectedTo(n_here: number, n_others: number): string {
  return n_here < n_others ? `Connected to ${n_here} of ${n_others}.` : "Connected to all.";
}

function liveWords(n_others: number, here: readonly Member[]): string {
  const [only] = here;
  return here.length === 1 && only !== undefined && only.roundTripUs !== null ? connectionInWords(only) : String(n_others + 1);
}

/** What the next state is compared with: catching up is but the way from one to another. */
export function lastingState(before: string, now: SyncPill): string {
  return now.state === "catchingUp" ? before : now.state;
}

/** MSG-NET-6 and -7 and the like: read out when the class changes. Null: nothing to say. */
export function announcementOf(before: string, now: SyncPill): string | null {
  if (before === now.state) return null;
  switch (now.state) {
    case "offline":
      return wordingOf("MSG-NET-6").body;
    case "live":
      return before === "offline" ? wordingOf("MSG-NET-7").body : "Connected.";
    case "needsYou":
    case "paused":
    case "left":
      return now.title;
    default:
      // What is saved or under way says itself often enough.
      return now.kind === "trouble" ? now.title : null;
  }
}
