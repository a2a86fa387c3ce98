import { describe, expect, it } from "vitest";
import { Client } from "../../api/client";
import type { CallReply, FileMatches, SearchMatch, SearchNews, SearchReply, SearchRequest } from "../../api/generated";
import type { Host } from "../../platform/host";
import { FakeHost } from "../../platform/fake";
import { globOfFolder, globsOf } from "./globs";
import { moveIn } from "./resultKeys";
import { merged, nextMatch } from "./rows";
import { Search } from "./search.svelte";
import { beforeShown, replacedSentence, standing } from "./words";

const FILES = { "a.txt": "one two\ntwo\n", "src/b.txt": "two", "src/c.txt": "three" };

async function setUp(): Promise<{ search: Search; client: Client }> {
  const client = new Client(new FakeHost(FILES, 0));
  await client.start();
  return { search: new Search(client, () => true), client };
}

function shown(search: Search): string[] {
  return search.rows.map((row) => (row.kind === "file" ? row.file.path : `  ${row.match.line}:${row.match.column}`));
}

/** A shell whose answers the test gives, one for each asking. */
class ToldHost implements Host {
  readonly kind = "fake";
  readonly asked: SearchRequest[] = [];
  #answers: ((reply: SearchReply) => void)[] = [];

  async subscribe(): Promise<void> {
    return undefined;
  }

  async rpc(call: { to: string; request: unknown }): Promise<CallReply> {
    this.asked.push(call.request as SearchRequest);
    return new Promise((resolve) => this.#answers.push((reply) => resolve({ to: "search", reply })));
  }

  async answer(reply: SearchReply): Promise<void> {
    await expect.poll(() => this.#answers.length).toBeGreaterThan(0);
    this.#answers.shift()?.(reply);
  }
}

function match(position: number): SearchMatch {
  return { position, length: 3, line: 1, column: position + 1, preview: "", from: 0, to: 0, becomes: null };
}

function file(path: string, ...positions: number[]): FileMatches {
  return { path, matches: positions.map(match), isCut: false };
}

function news(more: Partial<SearchNews>): SearchReply {
  return { reply: "found", value: { files: [], nFiles: 0, nTooLarge: 0, isCut: false, isOver: false, trouble: null, ...more } };
}

describe("search", () => {
  it("finds in files, and finds again what changes", async () => {
    const { search, client } = await setUp();
    search.text = "two";
    await search.run();
    expect(shown(search)).toEqual(["a.txt", "  1:5", "  2:1", "src/b.txt", "  1:1"]);
    expect(standing(search)).toBe("3 results in 2 files");
    const { viewId } = await client.get("view", { cmd: "openView", args: { path: "src/c.txt" } });
    await client.ask({ cmd: "editView", args: { viewId, edit: { requestId: 1, baseRevision: 0, staysLeft: false, splices: [[0, 0, "two "]] } } });
    await expect.poll(() => shown(search)).toContain("src/c.txt");
    await client.ask({ cmd: "delete", args: { path: "a.txt" } });
    await expect.poll(() => shown(search)).not.toContain("a.txt");
  });

  it("says what is no expression, and forgets what stood there", async () => {
    const { search } = await setUp();
    search.text = "two";
    await search.run();
    search.text = "(";
    search.isRegex = true;
    await search.run();
    expect(search.trouble).toBe("This expression can't be used: unclosed group.");
    expect(search.rows).toEqual([]);
    search.text = "";
    await search.run();
    expect([search.trouble, standing(search)]).toEqual([null, ""]);
  });

  it("shows what is found as it comes, and keeps what was there until then", async () => {
    const host = new ToldHost();
    const search = new Search(new Client(host), () => true);
    search.files = [file("old.txt", 0)];
    search.text = "x";
    const done = search.run();
    await host.answer({ reply: "begun", value: { id: 7 } });
    await host.answer(news({ nFiles: 64 }));
    await expect.poll(() => search.nFiles).toBe(64);
    expect(search.files.map((one) => one.path)).toEqual(["old.txt"]);
    await host.answer(news({ files: [file("a.txt", 0, 4)], nFiles: 70 }));
    await expect.poll(() => search.nMatches).toBe(2);
    expect(standing(search)).toBe("Searching… 2 results in 1 file so far");
    await host.answer(news({ files: [file("b.txt", 1)], nFiles: 80, isOver: true, isCut: true }));
    await done;
    expect(shown(search)).toEqual(["a.txt", "  1:1", "  1:5", "b.txt", "  1:2"]);
    expect(standing(search)).toBe("The first 3 results in 2 files. There are more: narrow the search.");
  });

  it("stops, and hears nothing of what it stopped", async () => {
    const host = new ToldHost();
    const search = new Search(new Client(host), () => true);
    search.text = "x";
    const done = search.run();
    await host.answer({ reply: "begun", value: { id: 7 } });
    await expect.poll(() => host.asked.length).toBe(2);
    search.stop();
    await host.answer(news({ files: [file("late.txt", 0)], isOver: true }));
    await done;
    expect(host.asked.at(-1)).toEqual({ cmd: "end", args: { id: 7 } });
    expect(search.files).toEqual([]);
    expect(standing(search)).toBe("Stopped. Nothing was found so far.");
  });

  it("replaces what is in the list and nothing else", async () => {
    const { search, client } = await setUp();
    search.text = "two";
    search.replacement = "2";
    await search.run();
    const [, first] = search.rows;
    if (first === undefined) throw new Error("nothing was found");
    search.dismiss(first);
    expect(search.targets()).toEqual([{ path: "a.txt", only: [[8, 3]] }, { path: "src/b.txt", only: null }]);
    const replaced = await search.replace(null, true);
    expect([replaced?.nReplaced, replaced?.paths]).toEqual([2, ["a.txt", "src/b.txt"]]);
    // What was left is found again.
    expect(shown(search)).toEqual(["a.txt", "  1:5"]);
    await client.ask({ cmd: "undoGroup", args: { groupId: replaced?.groupId ?? "" } });
    await expect.poll(() => search.nMatches).toBe(3);
  });

  it("goes on to the next match after one was replaced", async () => {
    const { search } = await setUp();
    search.text = "two";
    search.replacement = "2";
    await search.run();
    const [, first] = search.rows;
    if (first === undefined) throw new Error("nothing was found");
    await search.replace(first, false);
    expect(shown(search)).toEqual(["a.txt", "  2:1", "src/b.txt", "  1:1"]);
    expect(search.rows.find((row) => row.id === search.focusedId)).toMatchObject({ kind: "match", match: { line: 2 } });
  });

  it("walks the list by keys, round and through closed files", async () => {
    const { search } = await setUp();
    search.text = "two";
    await search.run();
    const focused = (): string => {
      const row = search.rows.find((one) => one.id === search.focusedId);
      return row === undefined ? "none" : row.kind === "file" ? row.file.path : `${row.file.path}:${row.match.line}`;
    };
    const press = (...keys: string[]): string => {
      for (const key of keys) moveIn(search, key);
      return focused();
    };
    expect(press("ArrowDown")).toBe("a.txt");
    expect(press("ArrowRight", "ArrowDown")).toBe("a.txt:2");
    expect(press("ArrowLeft", "ArrowLeft")).toBe("a.txt");
    expect(shown(search)).toEqual(["a.txt", "src/b.txt", "  1:1"]);
    expect(press("End")).toBe("src/b.txt:1");
    expect((await search.step(1))?.path).toBe("a.txt");
    expect(focused()).toBe("a.txt:1");
    expect((await search.step(-1))?.path).toBe("src/b.txt");
    search.closeAll();
    expect([shown(search), focused()]).toEqual([["a.txt", "src/b.txt"], "a.txt"]);
  });

  it("brings back what was looked for", async () => {
    const { search } = await setUp();
    for (const text of ["one", "two"]) {
      search.text = text;
      search.remember();
    }
    search.text = "three";
    search.typed();
    expect([search.recall(1), search.text]).toEqual([true, "two"]);
    expect([search.recall(1), search.text]).toEqual([true, "one"]);
    expect([search.recall(1), search.text]).toEqual([false, "one"]);
    expect([search.recall(-1), search.recall(-1), search.text, search.recall(-1)]).toEqual([true, true, "three", false]);
    search.clear();
    expect([search.text, search.recall(1), search.text]).toEqual(["", true, "three"]);
    search.stop();
  });

  it("asks for what matches become only where that differs", async () => {
    const { search } = await setUp();
    search.replacement = "$1";
    search.isReplaceShown = true;
    expect(search.query.replacement).toBe(null);
    search.isRegex = true;
    expect(search.query.replacement).toBe("$1");
  });
});

describe("rows of results", () => {
  it("keep their places when files are searched again", () => {
    const again = merged([file("a", 0), file("b", 0), file("c", 0)], [file("b", 5), file("new", 1)], ["a", "b", "new"]);
    expect(again.map((one) => [one.path, one.matches[0]?.position])).toEqual([["b", 5], ["c", 0], ["new", 1]]);
  });

  it("have no next one when there is none", () => {
    expect(nextMatch([], null, 1)).toBe(null);
    expect(nextMatch([file("a", 3)], "match:3:3:a", 1)?.match.position).toBe(3);
    expect(nextMatch([file("a", 3, 9)], null, -1)?.match.position).toBe(9);
  });
});

describe("fields and words", () => {
  it("take globs between commas", () => {
    expect(globsOf(" *.ts, src/{a,b}/** ,, x")).toEqual(["*.ts", "src/{a,b}/**", "x"]);
    expect(globOfFolder("src/[id]")).toBe("./src/\\[id\\]");
  });

  it("keep a match in sight", () => {
    expect(beforeShown("\tlet token = ")).toBe("→let token = ");
    expect(beforeShown("😀".repeat(30))).toBe(`…${"😀".repeat(14)}`);
  });

  it("say what came of a replacement", () => {
    const done = { groupId: "g", nReplaced: 3, nMissed: 0, paths: ["a", "b"], trouble: null };
    expect(replacedSentence(done)).toBe("Replaced 3 matches in 2 files.");
    expect(replacedSentence({ ...done, nMissed: 1 })).toBe("Replaced 3 matches in 2 files. 1 was not there any more.");
    expect(replacedSentence({ ...done, nReplaced: 0, nMissed: 2, paths: [] })).toBe("Nothing was replaced. 2 were not there any more.");
  });
});
