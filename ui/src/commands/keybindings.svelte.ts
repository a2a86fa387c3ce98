/** Turns pressed keys into commands, chords included. Knows no screen: `handle` says whether the key was taken. */
import { type KeyLike, keyName } from "../base/keys";
import type { Command, CommandRegistry } from "./registry.svelte";

const CHORD_MS = 4_000;

export class Keybindings {
  /** The first half of a chord that waits for its second key: shown in the status bar. */
  waiting = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly commands: CommandRegistry) {}

  /** True when the key belongs to a command (or to a chord), and must not reach anything else. */
  handle(event: KeyLike): boolean {
    const name = keyName(event);
    if (name === null) return false;
    const first = this.waiting;
    const wanted = first === null ? name : `${first} ${name}`;
    this.#setWaiting(null);
    const command = this.#find(wanted);
    if (command !== undefined) {
      this.commands.run(command.id);
      return true;
    }
    if (first !== null || this.#wasTakenAway(name)) return true;
    if (!this.#beginsChord(name)) return false;
    this.#setWaiting(name);
    return true;
  }

  #setWaiting(keys: string | null): void {
    clearTimeout(this.#timer);
    this.waiting = keys;
    if (keys !== null) this.#timer = setTimeout(() => (this.waiting = null), CHORD_MS);
  }

  // Newest first: a feature that registers later is more particular than the frame.
  #find(keys: string): Command | undefined {
    return this.commands.all.findLast((command) => this.commands.keysOf(command).includes(keys) && isOn(command));
  }

  /** Default keys of a command that has others now, on which the text editor would still act. */
  #wasTakenAway(keys: string): boolean {
    return this.commands.all.some(
      ({ id, nativeKeysWhen }) =>
        nativeKeysWhen?.() === true && this.commands.isRebound(id) && this.commands.defaultKeysOf(id).includes(keys),
    );
  }

  #beginsChord(keys: string): boolean {
    return this.commands.all.some(
      (command) => this.commands.keysOf(command).some((own) => own.startsWith(`${keys} `)) && isOn(command),
    );
  }
}

function isOn(command: Command): boolean {
  return (command.keysWhen?.() ?? true) && (command.when?.() ?? true);
}
