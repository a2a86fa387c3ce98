/** What a workspace remembers of its window from one start to the next. */
import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { FakeHost } from "../platform/fake";
import { FilesState } from "../state/files.svelte";
import type { EditorArea } from "./editorArea.svelte";
import { Layout } from "./layout.svelte";
import { Memory } from "./memory";

describe("what is said once", () => {
  it("is not said again after the next start", async () => {
    const client = new Client(new FakeHost({ "a.txt": "" }));
    await client.start();
    const editors = { onChanged: () => undefined, save: () => ({ tabs: { groups: [], activeGroup: 0 }, views: [] }) };
    const begin = async (): Promise<Memory> => {
      const memory = new Memory(client, new Layout(), editors as unknown as EditorArea, new FilesState(client));
      await memory.read();
      memory.begin();
      return memory;
    };
    const first = await begin();
    expect(first.isNews("mixed:f1")).toBe(true);
    expect(first.isNews("mixed:f1")).toBe(false);
    first.stop();
    await client.idle();
    const second = await begin();
    expect(second.isNews("mixed:f1")).toBe(false);
    expect(second.isNews("mixed:f2")).toBe(true);
  });
});
