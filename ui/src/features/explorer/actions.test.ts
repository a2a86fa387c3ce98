/** Deleting and taking it back, against the engine in memory. */
import { describe, expect, it } from "vitest";
import { Client } from "../../api/client";
import { FakeHost } from "../../platform/fake";
import { FilesState } from "../../state/files.svelte";
import { Notices } from "../../state/notices.svelte";
import { Tabs } from "../../state/tabs.svelte";
import type { Workbench } from "../../workbench/workbench";
import { ExplorerActions, deletedSentence } from "./actions";

async function setUp(enableTrash = false): Promise<{ actions: ExplorerActions; files: FilesState; notices: Notices; client: Client; names: () => string[] }> {
  const client = new Client(new FakeHost({ "README.md": "", "src/a.rs": "one", "src/deep/b.rs": "two", "notes.txt": "" }));
  await client.start();
  await client.ask({ cmd: "createFolder", args: { path: "src/empty" } });
  const files = new FilesState(client);
  await files.start([]);
  const notices = new Notices(Date.now, () => undefined);
  const editors = { tabs: new Tabs() };
  const parts = { client, files, notices, editors, layout: { say: () => undefined }, session: { isReadOnly: false, settings: { enableTrash } } };
  const actions = new ExplorerActions(parts as unknown as Workbench);
  const names = (): string[] => files.entriesOf("").map((entry) => entry.name);
  return { actions, files, notices, client, names };
}

function undo(notices: Notices): void {
  const notice = notices.onScreen.at(-1);
  const button = notice?.buttons?.[0];
  if (notice === undefined || button === undefined) throw new Error("no Undo");
  notices.press(notice, button);
}

describe("deleting", () => {
  it("brings a folder back whole with one Undo, empty folders included", async () => {
    const { actions, files, notices, client, names } = await setUp();
    await actions.delete(["src"]);
    expect(names()).toEqual(["notes.txt", "README.md"]);
    undo(notices);
    await expect.poll(names).toEqual(["src", "notes.txt", "README.md"]);
    await files.expand("src");
    expect(files.entriesOf("src").map((entry) => entry.name)).toEqual(["deep", "empty", "a.rs"]);
    expect((await client.get("view", { cmd: "openView", args: { path: "src/deep/b.rs" } })).text).toBe("two");
  });

  it("takes several deletions back together, and Undo counts once", async () => {
    const { actions, notices, names } = await setUp();
    await actions.delete(["README.md", "notes.txt"]);
    expect(names()).toEqual(["src"]);
    expect(notices.onScreen.at(-1)?.text).toBe("Deleted 2 items. History keeps it.");
    undo(notices);
    await expect.poll(names).toEqual(["src", "notes.txt", "README.md"]);
    expect(notices.onScreen).toEqual([]);
  });

  it("uses the trash when the settings say so, and Undo is the same", async () => {
    const { actions, notices, names } = await setUp(true);
    await actions.delete(["README.md"]);
    expect(notices.onScreen.at(-1)?.text).toBe("Moved “README.md” to the trash. History keeps it, too.");
    undo(notices);
    await expect.poll(names).toEqual(["src", "notes.txt", "README.md"]);
  });

  it("says no more than is true of all of it", () => {
    const both = { path: "a", groupId: "g", isInTrash: true };
    expect(deletedSentence([both])).toContain("History keeps it, too.");
    expect(deletedSentence([both, { ...both, isInTrash: false }])).toBe("Deleted 2 items. History keeps it.");
    expect(deletedSentence([{ ...both, groupId: null }])).toBe("Moved “a” to the trash.");
    expect(deletedSentence([{ ...both, groupId: null }, { ...both, isInTrash: false }])).toBe("Deleted 2 items. Each is in the trash or in history.");
  });
});
