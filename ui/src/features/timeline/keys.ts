/** The keys of the strip when it has the focus (UX §3.4). Pure. */
import type { Direction, StepUnit } from "../../api/generated";

export type StripAction =
  | { act: "step"; unit: StepUnit; direction: Direction }
  | { act: "play" | "zoomIn" | "zoomOut" | "diff" | "scope" | "name" | "restoreFile" | "backToNow" };

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const BY_KEY: Record<string, StripAction> = {
  PageUp: { act: "step", unit: "page", direction: "back" },
  PageDown: { act: "step", unit: "page", direction: "forward" },
  Home: { act: "step", unit: "end", direction: "back" },
  End: { act: "step", unit: "end", direction: "forward" },
  " ": { act: "play" },
  "+": { act: "zoomIn" },
  "=": { act: "zoomIn" },
  "-": { act: "zoomOut" },
  d: { act: "diff" },
  s: { act: "scope" },
  m: { act: "name" },
  r: { act: "restoreFile" },
  Escape: { act: "backToNow" },
};

const BACK = new Set(["ArrowLeft", "ArrowDown"]);
const FORWARD = new Set(["ArrowRight", "ArrowUp"]);

/** What a key press on the strip means; null when it is not one of its keys. */
export function stripAction(press: KeyPress): StripAction | null {
  if (press.altKey || press.metaKey) return null;
  if (BACK.has(press.key) || FORWARD.has(press.key)) {
    const unit: StepUnit = press.ctrlKey ? "named" : press.shiftKey ? "change" : "burst";
    return { act: "step", unit, direction: BACK.has(press.key) ? "back" : "forward" };
  }
  if (press.ctrlKey) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return BY_KEY[key] ?? null;
}
