/**
 * Texts that have no name yet, this window's own. Each has a Monaco model and no engine view: every change of it is kept
 * by the shell, on this device alone, and Monaco's own undo is the one there is.
 */
import type { Client } from "../api/client";
import type { UntitledText, ViewOpened } from "../api/generated";
import { type Disposable, DisposableStore } from "../base/disposable";
import { UNTITLED } from "../base/paths";
import type { OpenFile } from "./models.svelte";
import type { TextModel } from "./monaco";

/** So long after a text could not be kept it is tried again. */
const AGAIN_MS = 2_000;

/** Its last part is the name it has meanwhile. */
export function pathOf(id: string): string {
  return `${UNTITLED}${id}/Untitled-${numberOf(id)}`;
}

/** An id begins with the number that is shown; the rest tells it from those of other windows. */
function numberOf(id: string): number {
  return Number.parseInt(id, 10) || 0;
}

/** What can be kept and sent: half a pair may stand there while it is typed. */
export function textOf(model: TextModel): string {
  return model.getValue().toWellFormed();
}

/** Keeps one text as it changes: at once, and while that is under way the newest after it. */
class Keeper implements Disposable {
  #isUnderWay = false;
  #hasMore = false;
  #hasFailed = false;
  #isDisposed = false;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly keep: () => Promise<unknown>,
    private readonly onTrouble: (cause: unknown) => void,
  ) {}

  changed(): void {
    if (this.#isUnderWay) this.#hasMore = true;
    else void this.#keepAll();
  }

  async #keepAll(): Promise<void> {
    clearTimeout(this.#again);
    this.#isUnderWay = true;
    try {
      do {
        this.#hasMore = false;
        await this.keep();
      } while (this.#hasMore && !this.#isDisposed);
      this.#hasFailed = false;
    } catch (cause) {
      if (this.#isDisposed) return;
      // Said once: the next tries are made without being asked for.
      if (!this.#hasFailed) this.onTrouble(cause);
      this.#hasFailed = true;
      this.#again = setTimeout(() => this.changed(), AGAIN_MS);
    } finally {
      this.#isUnderWay = false;
    }
  }

  /** The page may be gone before the answer comes. What is sent is taken in its order. */
  flush(): void {
    if (!this.#hasMore) return;
    this.#hasMore = false;
    this.keep().catch(this.onTrouble);
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#again);
  }
}

interface Held {
  id: string;
  file: OpenFile;
  keeper: Keeper;
  store: DisposableStore;
}

export class UntitledTexts implements Disposable {
  /** By path. */
  readonly #held = new Map<string, Held>();

  constructor(
    private readonly open: (opened: ViewOpened, text: string) => OpenFile,
    private readonly client: Client,
    private readonly onTrouble: (cause: unknown) => void,
  ) {}

  /** What was left without a name: when this window was last closed or killed, or by another. */
  async take(): Promise<void> {
    const reply = await this.client.untitled({ cmd: "takeUntitled" });
    const texts = reply.reply === "texts" ? reply.value.texts : [];
    for (const text of texts.toSorted((a, b) => numberOf(a.id) - numberOf(b.id))) this.#hold(text);
  }

  /** An empty one, by the lowest number that is free in this window. Returns its path. */
  create(): string {
    const taken = new Set([...this.#held.values()].map(({ id }) => numberOf(id)));
    let n = 1;
    while (taken.has(n)) n += 1;
    return this.#hold({ id: `${n}-${crypto.randomUUID()}`, text: "" });
  }

  #hold({ id, text }: UntitledText): string {
    const path = pathOf(id);
    if (this.#held.has(path)) return path;
    const file = this.open(openedAs(path), text);
    const { model } = file;
    if (model === null) return path;
    const store = new DisposableStore();
    const keeper = store.add(new Keeper(() => this.client.untitled({ cmd: "keepUntitled", args: { id, text: textOf(model) } }), this.onTrouble));
    store.add(model.onDidChangeContent(() => keeper.changed()));
    store.add(file);
    this.#held.set(path, { id, file, keeper, store });
    return path;
  }

  get(path: string): OpenFile | null {
    return this.#held.get(path)?.file ?? null;
  }

  get paths(): string[] {
    return [...this.#held.keys()];
  }

  isEmpty(path: string): boolean {
    return (this.get(path)?.model?.getValueLength() ?? 0) === 0;
  }

  /** It was thrown away, or it has a name now: nothing is kept of it any more. */
  async drop(path: string): Promise<void> {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#held.delete(path);
    held.store.dispose();
    await this.client.untitled({ cmd: "dropUntitled", args: { id: held.id } });
  }

  /** Sends what has not been sent yet: the page goes away. */
  flush(): void {
    for (const { keeper } of this.#held.values()) keeper.flush();
  }

  dispose(): void {
    this.flush();
    for (const { store } of this.#held.values()) store.dispose();
    this.#held.clear();
  }
}

/** As a view of it would be, if it had one. */
function openedAs(path: string): ViewOpened {
  const format = { encoding: "UTF-8", byteOrderMark: false, lineEnd: "lf", mixedLineEnds: false } as const;
  return { viewId: -1, fileId: null, path, revision: 0, text: "", ...format, readOnly: null, sizeBytes: 0, nMoments: 0 };
}
