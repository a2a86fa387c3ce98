import { describe, expect, it } from "vitest";
import { Progress } from "./progress.svelte";

describe("progress", () => {
  it("is shown for long work only, says how far it is, and can be stopped", async () => {
    let late = (): void => undefined;
    const progress = new Progress((_ms, run) => (late = run));
    let next = (): void => undefined;
    const n_done = progress.track("Copying 1 of 3 files", async (work) => {
      let n = 0;
      for (; n < 3 && !work.isStopped; n += 1) {
        work.say(`Copying ${n + 1} of 3 files`);
        await new Promise<void>((resolve) => (next = resolve));
      }
      return n;
    });
    expect(progress.shown).toBeNull();
    late();
    expect(progress.shown?.text).toBe("Copying 1 of 3 files");
    next();
    await Promise.resolve();
    await Promise.resolve();
    expect(progress.shown?.text).toBe("Copying 2 of 3 files");
    progress.stop();
    next();
    expect(await n_done).toBe(2);
    expect(progress.shown).toBeNull();
  });

  it("goes away with work that was refused", async () => {
    const progress = new Progress((_ms, run) => run());
    await expect(progress.track("Copying", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(progress.shown).toBeNull();
  });
});
