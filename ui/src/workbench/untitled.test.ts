import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../api/client";
import type { ApiError, Request, UntitledReply, UntitledRequest, UntitledText } from "../api/generated";
import { EditorArea } from "./editorArea.svelte";

/** A text of one line. */
class ToyModel {
  readonly listeners: ((event: object) => void)[] = [];

  constructor(public text: string) {}

  /** As the person here does. */
  type(text: string): void {
    this.#change(this.text.length, 0, text);
  }

  applyEdits([edit]: { range: { from: number; to: number }; text: string }[]): void {
    if (edit !== undefined) this.#change(edit.range.from, edit.range.to - edit.range.from, edit.text);
  }

  #change(rangeOffset: number, rangeLength: number, text: string): void {
    this.text = this.text.slice(0, rangeOffset) + text + this.text.slice(rangeOffset + rangeLength);
    for (const listener of this.listeners) listener({ isFlush: false, changes: [{ range: { startColumn: 2 }, rangeOffset, rangeLength, text }] });
  }

  onDidChangeContent(listener: (event: object) => void): { dispose(): void } {
    this.listeners.push(listener);
    return { dispose: () => this.listeners.splice(this.listeners.indexOf(listener), 1) };
  }

  onDidChangeLanguage(): { dispose(): void } {
    return { dispose: () => undefined };
  }

  getValue(): string {
    return this.text;
  }

  getValueLength(): number {
    return this.text.length;
  }

  getPositionAt(offset: number): number {
    return offset;
  }

  setEOL(): void {
    // It has one line.
  }

  dispose(): void {
    // Nothing is kept.
  }
}

const monaco = {
  editor: { createModel: (text: string) => new ToyModel(text), setModelLanguage: () => undefined, EndOfLineSequence: { LF: 0 } },
  Uri: { from: () => null },
  Range: { fromPositions: (from: number, to: number) => ({ from, to }) },
  languages: { getLanguages: () => [] },
};
vi.mock("../editor/monaco", () => ({ loadMonaco: async () => monaco }));

const REFUSED: ApiError = { code: "exists", message: "“a.txt” is already there.", detail: null };

/** The workspace and the shell, as far as they are asked. */
class ToyHost {
  readonly asked: string[] = [];
  left: UntitledText[] = [];
  refuses: Request["cmd"] | null = null;
  onCreate: () => void = () => undefined;

  readonly onEvent = (): { dispose(): void } => ({ dispose: () => undefined });

  async untitled(request: UntitledRequest): Promise<UntitledReply> {
    if (request.cmd === "takeUntitled") return { reply: "texts", value: { texts: this.left } };
    this.asked.push(request.cmd === "keepUntitled" ? `keep ${request.args.text}` : "drop");
    return { reply: "done" };
  }

  async ask(request: Request): Promise<unknown> {
    if (request.cmd === this.refuses) throw REFUSED;
    if (request.cmd === "createFile") {
      this.asked.push(`create ${request.args.text}`);
      this.onCreate();
    } else if (request.cmd === "editView") this.asked.push(`edit ${JSON.stringify(request.args.edit.splices)}`);
    else this.asked.push(request.cmd);
    return null;
  }

  async get(_kind: string, request: Request): Promise<unknown> {
    const path = request.cmd === "openView" ? request.args.path : "";
    const text = this.asked.find((one) => one.startsWith("create "))?.slice("create ".length) ?? "";
    return { viewId: 1, path, text, revision: 0, readOnly: null, mixedLineEnds: false };
  }
}

const TEXT = { id: "1-a", text: "one" };
const PATH = "/untitled/1-a/Untitled-1";
const host = { now: new ToyHost() };
const troubles: string[] = [];

async function start(): Promise<EditorArea> {
  const area = new EditorArea(host.now as unknown as Client, (sentence) => troubles.push(sentence));
  await area.start({ tabs: { groups: [{ tabs: [{ path: "b.txt", isPreview: false }, { path: "/untitled/7-x/Untitled-7", isPreview: false }], active: 0 }], activeGroup: 0 }, views: [] });
  return area;
}

const modelOf = (area: EditorArea, path: string): ToyModel => area.files?.untitled.get(path)?.model as unknown as ToyModel;
const tabOf = (area: EditorArea, path: string): number => area.tabs.all.find((tab) => tab.path === path)?.id ?? -1;

beforeEach(() => {
  host.now = new ToyHost();
  host.now.left = [TEXT];
  troubles.length = 0;
  vi.stubGlobal("document", { activeElement: null, body: {} });
});

describe("texts without a name", () => {
  it("have a tab as long as they are there, and are nobody's file", async () => {
    const area = await start();
    expect(area.tabs.openPaths).toEqual(["b.txt", PATH]);
    expect(area.activePath).toBe("b.txt");
    area.tabs.activate(tabOf(area, PATH));
    expect([area.activePath, area.untitledPath]).toEqual([null, PATH]);
    expect(area.recentPaths).toEqual(["b.txt"]);
    area.newUntitled();
    expect(area.untitledPath).toMatch(/Untitled-2$/);
  });

  it("become a file in the same tab, with what was typed meanwhile, before what was kept goes", async () => {
    const area = await start();
    host.now.onCreate = () => modelOf(area, PATH).type(" two");
    await area.giveName(PATH, "a.txt");
    expect(host.now.asked).toEqual(["create one", "keep one two", `edit [[3,0," two"]]`, "save", "drop"]);
    expect(area.tabs.openPaths).toEqual(["b.txt", "a.txt"]);
    expect(area.files?.untitled.paths).toEqual([]);
  });

  it("stay as they are when no file can be made", async () => {
    const area = await start();
    host.now.refuses = "createFile";
    await expect(area.giveName(PATH, "a.txt")).rejects.toBe(REFUSED);
    expect(area.tabs.openPaths).toEqual(["b.txt", PATH]);
    expect([modelOf(area, PATH).text, area.naming, host.now.asked]).toEqual(["one", null, []]);
  });

  it("stay kept when their file may not be durable", async () => {
    const area = await start();
    host.now.refuses = "save";
    await expect(area.giveName(PATH, "a.txt")).rejects.toBe(REFUSED);
    expect(host.now.asked).toEqual(["create one"]);
  });

  it("are closed at once only when there is nothing in them, or another tab shows them", async () => {
    const area = await start();
    area.newUntitled();
    area.close(area.activeTab?.id ?? 0);
    expect(area.tabs.openPaths).toEqual(["b.txt", PATH]);
    area.tabs.activate(tabOf(area, PATH));
    area.tabs.split();
    area.close(area.activeTab?.id ?? 0);
    expect([area.tabs.openPaths, area.asked]).toEqual([["b.txt", PATH], []]);
    area.close(tabOf(area, PATH));
    expect([area.tabs.openPaths, area.asked]).toEqual([["b.txt", PATH], [PATH]]);
    area.discard(PATH);
    expect([area.tabs.openPaths, area.asked, area.tabs.closed]).toEqual([["b.txt"], [], []]);
    expect(host.now.asked).toEqual(["drop", "drop"]);
  });

  it("are closed once they are saved, when that was the question", async () => {
    const area = await start();
    area.close(tabOf(area, PATH));
    await area.giveName(PATH, "a.txt");
    expect([area.tabs.openPaths, area.asked]).toEqual([["b.txt"], []]);
  });
});
