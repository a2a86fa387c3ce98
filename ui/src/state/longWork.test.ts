/** What is shown of requests that take long: only of those that somebody waits for. */
import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import type { Call, CallReply } from "../api/generated";
import { followLongWork } from "./longWork";
import { Progress } from "./progress.svelte";

describe("long requests", () => {
  it("are shown while they last, in words of their own, whether or not they are refused", async () => {
    const answers: { end: () => void; refuse: () => void }[] = [];
    const client = new Client({
      kind: "fake",
      subscribe: () => Promise.resolve(),
      rpc: (_call: Call) =>
        new Promise<CallReply>((resolve, reject) => {
          answers.push({ end: () => resolve({ to: "workspace", reply: { reply: "done" } }), refuse: () => reject(new Error("no")) });
        }),
    });
    let show = (): void => undefined;
    const progress = new Progress((ms, run) => {
      if (ms === 400) show = run;
    });
    followLongWork(client, progress);

    const saved = client.ask({ cmd: "save", args: { path: null } });
    show();
    expect(progress.shown?.sentence).toBe("Saving…");
    answers[0]?.end();
    await saved;
    await Promise.resolve();
    expect(progress.shown).toBeNull();

    const renamed = client.ask({ cmd: "rename", args: { from: "a", to: "b" } });
    show();
    expect(progress.shown?.sentence).toBe("Renaming…");
    answers[1]?.refuse();
    await expect(renamed).rejects.toThrow("no");
    await Promise.resolve();
    expect(progress.shown).toBeNull();

    show = () => undefined;
    void client.ask({ cmd: "status" });
    show();
    expect(progress.shown).toBeNull();
  });
});
