/** Lifetimes. Whoever creates something disposable registers it with an owner. */

export interface Disposable {
  dispose(): void;
}

export function toDisposable(run: () => void): Disposable {
  let isDone = false;
  return {
    dispose() {
      if (isDone) return;
      isDone = true;
      run();
    },
  };
}

/** Owns others and disposes of them, newest first. Anything added afterwards is disposed of at once. */
export class DisposableStore implements Disposable {
  #items: Disposable[] = [];
  #isDisposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.#isDisposed) item.dispose();
    else this.#items.push(item);
    return item;
  }

  /** Registers a plain function. */
  defer(run: () => void): void {
    this.add(toDisposable(run));
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  dispose(): void {
    this.#isDisposed = true;
    const items = this.#items;
    this.#items = [];
    for (const item of items.reverse()) item.dispose();
  }
}

/** A DOM listener as a disposable. */
export function listen<K extends keyof WindowEventMap>(
  target: Window,
  type: K,
  run: (event: WindowEventMap[K]) => void,
  options?: AddEventListenerOptions,
): Disposable {
  target.addEventListener(type, run, options);
  return toDisposable(() => target.removeEventListener(type, run, options));
}
