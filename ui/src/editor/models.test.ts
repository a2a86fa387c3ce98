import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../api/client";
import type { ViewEdit, ViewOpened } from "../api/generated";
import { OpenFile, OpenFiles } from "./models.svelte";
import type { Monaco } from "./monaco";

/** Longer than a file that nobody shows is kept. */
const LONG_MS = 60_000;

const closed: number[] = [];
let answers: (() => void)[] = [];

// A picture: what has no text needs no Monaco.
const opened = { viewId: 1, path: "a.png", text: "", readOnly: "binary", mixedLineEnds: false } as ViewOpened;

const client = {
  onEvent: () => ({ dispose: () => undefined }),
  get: () => new Promise((resolve) => answers.push(() => resolve(opened))),
  ask: async ({ cmd, args }: { cmd: string; args: { viewId: number } }) => void (cmd === "closeView" && closed.push(args.viewId)),
} as unknown as Client;

const makeFiles = (): OpenFiles => new OpenFiles({} as Monaco, client, () => undefined);

async function openNow(files: OpenFiles): ReturnType<OpenFiles["open"]> {
  const opening = files.open("a.png");
  answers.shift()?.();
  return opening;
}

/** A text that the person here changes by `type`. */
class ToyModel {
  type: (event: object) => void = () => undefined;

  onDidChangeContent(listener: (event: object) => void): { dispose(): void } {
    this.type = listener;
    return { dispose: () => undefined };
  }

  onDidChangeLanguage(): { dispose(): void } {
    return { dispose: () => undefined };
  }

  getValueLength(): number {
    return 0;
  }

  setEOL(): void {
    // It has one line.
  }

  dispose(): void {
    // Nothing is kept.
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  closed.length = 0;
  answers = [];
});
afterEach(() => vi.useRealTimers());

describe("open files", () => {
  it("close a view when nobody has shown its file for a while", async () => {
    const files = makeFiles();
    files.release(await openNow(files));
    vi.advanceTimersByTime(LONG_MS);
    expect(closed).toEqual([1]);
  });

  it("refuse what comes when the workspace is closed, and close no view of the next one", async () => {
    const files = makeFiles();
    const opening = files.open("a.png");
    const released = opening.then((file) => files.release(file));
    files.dispose();
    answers.shift()?.();
    await expect(released).rejects.toMatchObject({ code: "notFound" });
    vi.advanceTimersByTime(LONG_MS);
    expect(closed).toEqual([]);
    expect(files.all).toEqual([]);
  });

  it("keep their own when a file of a workspace before is let go", async () => {
    const before = await openNow(makeFiles());
    const files = makeFiles();
    await openNow(files);
    files.release(before);
    vi.advanceTimersByTime(LONG_MS);
    expect(closed).toEqual([]);
  });
});

describe("an open file", () => {
  const openOver = (model: ToyModel, over: Client): OpenFile => {
    const editor = { createModel: () => model, setModelLanguage: () => undefined, EndOfLineSequence: { LF: 0 } };
    const monaco = { editor, Uri: { from: () => null }, languages: { getLanguages: () => [] } } as unknown as Monaco;
    const text = { ...opened, path: "a.txt", readOnly: null, revision: 0 };
    return new OpenFile(monaco, over, text, "", () => undefined, () => undefined);
  };
  const typedAt = (rangeOffset: number, startColumn: number): object => ({ range: { startColumn }, rangeOffset, rangeLength: 0, text: "a" });

  it("counts what the person here changes in it", () => {
    const model = new ToyModel();
    const file = openOver(model, client);
    model.type({ isFlush: false, changes: [typedAt(0, 1)] });
    model.type({ isFlush: true, changes: [] });
    expect(file.n_localEdits).toBe(1);
  });

  it("says of what is typed whether all of it stays behind a letter", () => {
    const model = new ToyModel();
    const sent: boolean[] = [];
    const ask = async ({ args }: { args: { edit: ViewEdit } }): Promise<void> => void sent.push(args.edit.staysLeft);
    openOver(model, { ...client, ask } as unknown as Client);
    for (const changes of [[typedAt(0, 1)], [typedAt(1, 2)], [typedAt(9, 4), typedAt(2, 1)]]) model.type({ isFlush: false, changes });
    expect(sent).toEqual([false, true, false]);
  });
});
