/** Key names: "Ctrl+Shift+P", chords "Ctrl+K M". One spelling for keyboards, menus and settings. */

export interface KeyLike {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const NAMES: Record<string, string> = {
  " ": "Space",
  ArrowLeft: "Left",
  ArrowRight: "Right",
  ArrowUp: "Up",
  ArrowDown: "Down",
  Escape: "Esc",
};

/** Keys whose printed sign changes with Shift: named by what is printed without it. */
const BY_CODE: Record<string, string> = {
  Backslash: "\\",
  Minus: "-",
  Equal: "=",
  Comma: ",",
  Period: ".",
  Slash: "/",
  NumpadAdd: "=",
  NumpadSubtract: "-",
  Numpad0: "0",
};

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "AltGraph"];

const ORDER = ["Ctrl", "Shift", "Alt", "Meta"] as const;

/** The name of a pressed key; null for a modifier alone and for a key of an input method, or a dead one. */
export function keyName(event: KeyLike): string | null {
  const main = mainKey(event);
  if (main === null) return null;
  const held = [event.ctrlKey && "Ctrl", event.shiftKey && "Shift", event.altKey && "Alt", event.metaKey && "Meta"];
  return [...held.filter((part) => part !== false), main].join("+");
}

/** A key that does nothing alone. */
export function isModifier({ key }: Pick<KeyLike, "key">): boolean {
  return MODIFIERS.includes(key);
}

function mainKey(event: KeyLike): string | null {
  const { key, code } = event;
  // With Shift the toolkit has a key of its own for it.
  if (code === "Tab") return "Tab";
  if (isModifier(event) || ["Dead", "Unidentified", "Process"].includes(key)) return null;
  if (/^[a-z]$/i.test(key)) return key.toUpperCase();
  // On layouts where the letter is not Latin, the place on the board decides.
  if (event.ctrlKey && /^Key[A-Z]$/.test(code) && key.charCodeAt(0) > 127) return code.slice(3);
  if (/^(Digit|Numpad)[0-9]$/.test(code) && (event.ctrlKey || event.altKey)) return code.slice(-1);
  if (key === "+") return "=";
  if (["=", "-", "\\", ",", ".", "/"].includes(key)) return key;
  return NAMES[key] ?? (key.length > 1 ? key : (BY_CODE[code] ?? key.toUpperCase()));
}

/** "ctrl+shift+p" and "Shift+Ctrl+P" become "Ctrl+Shift+P"; a chord keeps its parts. */
export function normaliseKeys(keys: string): string {
  return keys.trim().split(/\s+/).map(normaliseOne).join(" ");
}

function normaliseOne(keys: string): string {
  const parts = keys.endsWith("++") ? [...keys.slice(0, -2).split("+"), "="] : keys.split("+");
  const main = parts.pop() ?? "";
  const held = parts.map((part) => part.toLowerCase());
  const modifiers = ORDER.filter((name) => held.includes(name.toLowerCase()));
  const name = main.length === 1 ? main.toUpperCase() : (main[0] ?? "").toUpperCase() + main.slice(1);
  return [...modifiers, name].join("+");
}

/** For screens: arrows as arrows. */
export function shownKeys(keys: string): string {
  return keys.replace(/\bLeft\b/g, "←").replace(/\bRight\b/g, "→").replace(/\bUp\b/g, "↑").replace(/\bDown\b/g, "↓");
}
