/** One event with any number of listeners. A listener that throws does not keep the others from hearing. */
import { type Disposable, toDisposable } from "./disposable";

export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(value: T) => void>();

  readonly on = (run: (value: T) => void): Disposable => {
    // Wrapped, so that the same function may listen twice and leave once.
    const listener = (value: T): void => run(value);
    this.#listeners.add(listener);
    return toDisposable(() => this.#listeners.delete(listener));
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (cause) {
        reportError(cause);
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
