/** Changing which keys run what: recording, conflicts, and the table that is kept in the settings. */
import type { Command, CommandRegistry } from "./registry.svelte";

export type UserKeys = Readonly<Record<string, string>>;

/** What the box shows after one more key: the second makes a chord, the third starts over. */
export function recorded(before: string, pressed: string): string {
  return before === "" || before.includes(" ") ? pressed : `${before} ${pressed}`;
}

/** Why these keys cannot run a command, as a sentence; null when they can. */
export function whyNotKeys(keys: string): string | null {
  const [first = ""] = keys.split(" ");
  const main = first.split("+").at(-1) ?? "";
  // GTK takes it for typing a character by its number.
  if (first === "Ctrl+Shift+U") return "The desktop keeps Ctrl+Shift+U for itself.";
  const isHeld = /^(Ctrl|Alt|Meta)\+/.test(first) || /\+(Ctrl|Alt|Meta)\+/.test(first);
  if (!isHeld && !/^F\d{1,2}$/.test(main)) return "Hold Ctrl or Alt with it, or use a function key: other keys are for typing.";
  return null;
}

/** Other commands that these keys run now. A chord is in the way of its own first half, and the other way round. */
export function conflictsOf(commands: CommandRegistry, id: string, keys: string): Command[] {
  const isInTheWay = (own: string): boolean => own === keys || own.startsWith(`${keys} `) || keys.startsWith(`${own} `);
  return commands.all.filter((command) => command.id !== id && commands.keysOf(command).some(isInTheWay));
}

/** The table with these keys for a command. Keys that are its own by default leave no entry. */
export function withKeys(commands: CommandRegistry, now: UserKeys, id: string, keys: string): Record<string, string> {
  const isDefault = commands.defaultKeysOf(id)[0] === keys;
  return isDefault ? withoutKeys(now, id) : { ...now, [id]: keys };
}

/** The table with these keys taken away from the others: each keeps another of its keys, or none. */
export function takenOver(commands: CommandRegistry, now: UserKeys, id: string, keys: string): Record<string, string> {
  const others = conflictsOf(commands, id, keys).map((command): [string, string] => {
    const left = commands.keysOf(command).filter((own) => own !== keys && !own.startsWith(`${keys} `) && !keys.startsWith(`${own} `));
    return [command.id, left[0] ?? ""];
  });
  return { ...withKeys(commands, now, id, keys), ...Object.fromEntries(others) };
}

/** The table as it came for a command. */
export function withoutKeys(now: UserKeys, id: string): Record<string, string> {
  return Object.fromEntries(Object.entries(now).filter(([one]) => one !== id));
}
