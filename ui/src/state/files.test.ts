import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { FakeHost } from "../platform/fake";
import { FilesState } from "./files.svelte";

const FILES = { "README.md": "", "src/a10.rs": "", "src/a2.rs": "", "src/deep/x.rs": "", "Zebra.txt": "" };

async function setUp(): Promise<{ files: FilesState; client: Client }> {
  const client = new Client(new FakeHost(FILES));
  await client.start();
  const files = new FilesState(client);
  await files.start(["src"]);
  return { files, client };
}

function shown(files: FilesState): string[] {
  return files.rows.map((row) => (row.kind === "entry" ? "  ".repeat(row.depth) + row.entry.name : row.kind));
}

describe("files", () => {
  it("lists folders first, numbers as numbers, only what is open", async () => {
    const { files } = await setUp();
    expect(shown(files)).toEqual(["src", "  deep", "  a2.rs", "  a10.rs", "README.md", "Zebra.txt"]);
    await files.toggle("src/deep");
    expect(shown(files)).toContain("    x.rs");
    await files.toggle("src");
    expect(shown(files)).toEqual(["src", "README.md", "Zebra.txt"]);
  });

  it("follows what changes underneath", async () => {
    const { files, client } = await setUp();
    await client.ask({ cmd: "createFile", args: { path: "src/b.rs", text: "" } });
    await client.ask({ cmd: "delete", args: { path: "README.md" } });
    await expect.poll(() => shown(files)).toEqual(["src", "  deep", "  a2.rs", "  a10.rs", "  b.rs", "Zebra.txt", "deletedHead"]);
  });

  it("answers whoever asks during a listing by one that is newer", async () => {
    const { client, files } = await setUp();
    const answers: (() => void)[] = [];
    let name = "old";
    client.get = (() => {
      const entries = [{ path: name, name, kind: "file" }];
      return new Promise((resolve) => answers.push(() => resolve({ entries })));
    }) as unknown as typeof client.get;
    const give = async (): Promise<void> => {
      answers.shift()?.();
      for (let i = 0; i < 5; i += 1) await Promise.resolve();
    };
    const first = files.load("");
    name = "new";
    let seen: (string | undefined)[] = [];
    const joined = files.load("").then(() => (seen = files.entriesOf("").map((entry) => entry.name)));
    let isListed = false;
    const listed = files.listed().then(() => (isListed = true));
    await give();
    expect([seen, isListed]).toEqual([[], false]);
    await give();
    await Promise.all([first, joined, listed]);
    expect(seen).toEqual(["new"]);
    // And the next one asks for itself again.
    name = "newest";
    const next = files.load("");
    await give();
    await next;
    expect(files.entriesOf("").map((entry) => entry.name)).toEqual(["newest"]);
  });

  it("reveals a file in folders that were never opened", async () => {
    const { files } = await setUp();
    files.collapseAll();
    await files.reveal("src/deep/x.rs");
    expect(shown(files)).toContain("    x.rs");
    expect([...files.selected]).toEqual(["src/deep/x.rs"]);
  });

  it("selects a stretch, and leaves out what lies in a selected folder", async () => {
    const { files } = await setUp();
    files.selectOnly("src");
    files.selectTo("src/a2.rs");
    expect([...files.selected]).toEqual(["src", "src/deep", "src/a2.rs"]);
    expect(files.selectedPaths).toEqual(["src"]);
  });

  it("puts the box for a name where the new file will be", async () => {
    const { files } = await setUp();
    files.selectOnly("src/a2.rs");
    await files.startNew("newFile");
    expect(shown(files)).toEqual(["src", "edit", "  deep", "  a2.rs", "  a10.rs", "README.md", "Zebra.txt"]);
    files.startRename("README.md");
    expect(shown(files)).toEqual(["src", "  deep", "  a2.rs", "  a10.rs", "edit", "Zebra.txt"]);
  });

  it("remembers what changed since it was opened, under its name of now", async () => {
    const { files } = await setUp();
    files.noteChanged(["src/deep/x.rs", "README.md", "Zebra.txt"]);
    expect(files.changed.size).toBe(0);
    files.noteChanged(["src/deep/x.rs"]);
    files.isFirstTime = false;
    files.noteChanged(["README.md"]);
    expect([...files.changed].map((path) => files.shownRowOf(path))).toEqual(["src/deep", "README.md"]);
    files.renamed("src/deep", "src/low");
    await files.toggle("src");
    expect([...files.changed].map((path) => files.shownRowOf(path))).toEqual(["src", "README.md"]);
    expect(files.changed.has("src/low/x.rs")).toBe(true);
    files.reset();
    expect(files.changed.size).toBe(0);
  });

  it("says why a name will not do", async () => {
    const { files } = await setUp();
    const edit = { act: "newFile", parent: "src", path: null, isFolder: false } as const;
    expect(files.whyNotName(edit, "a2.rs")).toBe("“a2.rs” is there already.");
    expect(files.whyNotName(edit, "../x")).toBe("This is not a name a file can have.");
    expect(files.whyNotName(edit, "new/b.rs")).toBeNull();
    const rename = { act: "rename", parent: "src", path: "src/a2.rs", isFolder: false } as const;
    expect(files.whyNotName(rename, "a2.rs")).toBeNull();
  });

  it("shows why a folder cannot be listed", async () => {
    const { files, client } = await setUp();
    const ask = client.get.bind(client);
    client.get = (async (kind: never, request: never) => {
      if ((request as { cmd: string }).cmd === "listFolder") throw { code: "io", message: "This folder cannot be read.", detail: null };
      return ask(kind, request);
    }) as typeof client.get;
    await files.load("src");
    expect(files.rows.find((row) => row.kind === "note")).toMatchObject({ text: "This folder cannot be read.", isTrouble: true });
  });

  it("shows only what matches while something is typed, and all again afterwards", async () => {
    const { files } = await setUp();
    const before = shown(files);
    await files.startFilter();
    expect(shown(files)).toEqual(before);
    files.filter = "x.rs";
    expect(shown(files)).toEqual(["src", "  deep", "    x.rs"]);
    expect(files.entry("src/deep/x.rs")?.kind).toBe("text");
    await files.toggle("src");
    expect(shown(files)).toEqual(["src"]);
    files.endFilter();
    expect(shown(files)).toEqual(before);
  });
});
