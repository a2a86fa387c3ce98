/** Every action of the window: an id, a title, keys, whether it can run now. Menus, palette and keys all come here. */
import { type Disposable, toDisposable } from "../base/disposable";
import { Emitter } from "../base/emitter";
import { normaliseKeys } from "../base/keys";

export interface Command {
  id: string;
  /** As in the palette: "Go to file…". */
  title: string;
  /** Group in the palette: "File", "View". */
  category: string;
  /** Default keys, the first is shown. Several for desktops that take one away. */
  keys?: readonly string[];
  /** Whether it can run now. Read while rendering, so it may read state. */
  when?: () => boolean;
  /** Whether its keys count now, when that is narrower than `when` (focus in the tree, say). */
  keysWhen?: () => boolean;
  /** Something else acts on its default keys then (the text editor): when they were changed, it must not see them. */
  nativeKeysWhen?: () => boolean;
  /** In menus it opens these instead of running. */
  children?: () => readonly CommandChild[];
  /** Ticked in menus. */
  checked?: () => boolean;
  /** Left out of the palette: it needs something pointed at. */
  isHidden?: boolean;
  run(argument?: unknown): unknown;
}

export interface CommandChild {
  id: string;
  label: string;
  isEnabled: boolean;
  run(): void;
}

export class CommandRegistry {
  #commands = $state.raw<ReadonlyMap<string, Command>>(new Map());
  /** The user's own keys: command id to keys; "" takes them away. */
  userKeys = $state.raw<Readonly<Record<string, string>>>({});
  /** Newest first. */
  recentIds = $state.raw<readonly string[]>([]);
  readonly #failed = new Emitter<unknown>();
  /** A command threw; somebody has to say so. */
  readonly onFailed = this.#failed.on;

  register(command: Command): Disposable {
    if (this.#commands.has(command.id)) throw new Error(`command ${command.id} is registered twice`);
    this.#commands = new Map(this.#commands).set(command.id, command);
    return toDisposable(() => {
      const rest = new Map(this.#commands);
      rest.delete(command.id);
      this.#commands = rest;
    });
  }

  registerAll(commands: readonly Command[]): void {
    for (const command of commands) this.register(command);
  }

  get(id: string): Command | undefined {
    return this.#commands.get(id);
  }

  get all(): Command[] {
    return [...this.#commands.values()];
  }

  canRun(id: string): boolean {
    const command = this.#commands.get(id);
    return command !== undefined && (command.when?.() ?? true);
  }

  /** The keys it came with. */
  defaultKeysOf(id: string): string[] {
    return (this.#commands.get(id)?.keys ?? []).map(normaliseKeys);
  }

  /** Its keys are the user's own. */
  isRebound(id: string): boolean {
    return this.userKeys[id] !== undefined;
  }

  /** Keys of a command as normalised names. */
  keysOf(command: Command): string[] {
    const own = this.userKeys[command.id];
    if (own !== undefined) return own === "" ? [] : [normaliseKeys(own)];
    return (command.keys ?? []).map(normaliseKeys);
  }

  /** The keys to show beside a title, or null. */
  shownKeysOf(id: string): string | null {
    const command = this.#commands.get(id);
    return command === undefined ? null : (this.keysOf(command)[0] ?? null);
  }

  /** Something a command began went wrong later. */
  fail(cause: unknown): void {
    this.#failed.fire(cause);
  }

  /** Runs it when it can run now. What it throws goes to `onFailed`. */
  run(id: string, argument?: unknown): void {
    const command = this.#commands.get(id);
    if (command === undefined || !(command.when?.() ?? true)) return;
    if (command.isHidden !== true) this.recentIds = [id, ...this.recentIds.filter((one) => one !== id)].slice(0, 30);
    try {
      const result = command.run(argument);
      if (result instanceof Promise) result.catch((cause: unknown) => this.#failed.fire(cause));
    } catch (cause) {
      this.#failed.fire(cause);
    }
  }
}
