import { describe, expect, it } from "vitest";
import { Progress } from "./progress.svelte";

/** A progress whose clock is turned by hand. */
function setUp(): { progress: Progress; pass: (ms: number) => void } {
  let now_ms = 0;
  let timers: { at_ms: number; run: () => void }[] = [];
  const progress = new Progress(
    (ms, run) => timers.push({ at_ms: now_ms + ms, run }),
    () => now_ms,
  );
  const pass = (ms: number): void => {
    const until_ms = now_ms + ms;
    for (;;) {
      const next = timers.filter((one) => one.at_ms <= until_ms).sort((a, b) => a.at_ms - b.at_ms)[0];
      if (next === undefined) break;
      timers = timers.filter((one) => one !== next);
      now_ms = next.at_ms;
      next.run();
    }
    now_ms = until_ms;
  };
  return { progress, pass };
}

function later(): { promise: Promise<void>; end: () => void } {
  let end = (): void => undefined;
  const promise = new Promise<void>((resolve) => (end = resolve));
  return { promise, end };
}

describe("progress", () => {
  it("is shown for long work only, says how far it is, and can be stopped", async () => {
    const { progress, pass } = setUp();
    let step = later();
    const n_done = progress.track(
      "Copying 1 of 3 files",
      async (work) => {
        let n = 0;
        for (; n < 3 && !work.isStopped; n += 1) {
          work.say(`Copying ${n + 1} of 3 files`);
          step = later();
          await step.promise;
        }
        return n;
      },
      { onStop: () => undefined },
    );
    pass(399);
    expect(progress.shown).toBeNull();
    pass(1);
    expect(progress.shown?.sentence).toBe("Copying 1 of 3 files");
    expect(progress.shown?.canStop).toBe(false);
    pass(1_600);
    expect(progress.shown?.canStop).toBe(true);
    step.end();
    await Promise.resolve();
    await Promise.resolve();
    expect(progress.shown?.text).toBe("Copying 2 of 3 files");
    progress.stop();
    step.end();
    expect(await n_done).toBe(2);
    expect(progress.shown).toBeNull();
  });

  it("counts the seconds after ten, and tells the end", async () => {
    const { progress, pass } = setUp();
    const told: string[] = [];
    progress.onLongDone = (sentence) => told.push(sentence);
    const work = later();
    const done = progress.track("Restoring…", () => work.promise);
    pass(9_999);
    expect(progress.shown?.sentence).toBe("Restoring…");
    expect(progress.shown?.canStop).toBe(false);
    pass(2_500);
    expect(progress.shown?.sentence).toBe("Restoring… · 12 s");
    work.end();
    await done;
    expect(told).toEqual(["Done: Restoring."]);
    await progress.track("Short", () => Promise.resolve());
    expect(told).toHaveLength(1);
  });

  it("tells whoever does it to stop, once", async () => {
    const { progress, pass } = setUp();
    let n_stops = 0;
    const work = later();
    const done = progress.track("Moving", () => work.promise, { onStop: () => (n_stops += 1) });
    pass(2_000);
    progress.stop();
    progress.stop();
    expect(n_stops).toBe(1);
    work.end();
    await done;
    progress.stop();
    expect(n_stops).toBe(1);
  });

  it("goes away with work that was refused", async () => {
    const { progress, pass } = setUp();
    const refused = progress.track("Copying", () => Promise.reject(new Error("no")));
    await expect(refused).rejects.toThrow("no");
    pass(20_000);
    expect(progress.shown).toBeNull();
  });
});
