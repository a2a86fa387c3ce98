import { describe, expect, it } from "vitest";
import type { Merged } from "../../api/generated";
import type { OpenFile } from "../../editor/models.svelte";
import type { Workbench } from "../../workbench/workbench";
import { Review } from "./review.svelte";

const place = (path: string): Merged["places"][0] => ({ path, line: 1, position: 0, ours: "", theirs: "", now: "", isWhole: true });
const MERGED = { places: [place("a"), place("b")] } as Merged;

/** Counts how often each file is held. */
class ToyFiles {
  readonly n_users: Record<string, number> = {};
  #answers: (() => void)[] = [];

  open(path: string): Promise<OpenFile> {
    return new Promise((resolve) =>
      this.#answers.push(() => {
        this.n_users[path] = (this.n_users[path] ?? 0) + 1;
        resolve({ path, model: null } as unknown as OpenFile);
      }),
    );
  }

  release({ path }: OpenFile): void {
    if (path !== null) this.n_users[path] = (this.n_users[path] ?? 0) - 1;
  }

  async answerAll(): Promise<void> {
    while (this.#answers.length > 0) {
      for (const answer of this.#answers.splice(0)) answer();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

describe("the places of a merge", () => {
  it("are held once each, and let go, when the page is closed and opened again while they open", async () => {
    const files = new ToyFiles();
    const review = new Review({ editors: { files } } as unknown as Workbench);
    review.set(MERGED);
    void review.hold();
    review.release();
    void review.hold();
    await files.answerAll();
    expect(files.n_users).toEqual({ a: 1, b: 1 });
    expect(review.places.map((one) => one.isReady)).toEqual([true, true]);
    review.release();
    expect(files.n_users).toEqual({ a: 0, b: 0 });
  });
});
