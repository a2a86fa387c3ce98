import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../api/client";
import type { UntitledReply, UntitledRequest, ViewOpened } from "../api/generated";
import type { OpenFile } from "./models.svelte";
import { UntitledTexts } from "./untitled";

/** A text and what listens to it. */
class ToyModel {
  text = "";
  #changed: () => void = () => undefined;

  type(text: string): void {
    this.text += text;
    this.#changed();
  }

  getValue(): string {
    return this.text;
  }

  getValueLength(): number {
    return this.text.length;
  }

  onDidChangeContent(listener: () => void): { dispose(): void } {
    this.#changed = listener;
    return { dispose: () => (this.#changed = () => undefined) };
  }
}

/** A shell that answers when it is told to. */
class ToyShell {
  readonly asked: UntitledRequest[] = [];
  left: { id: string; text: string }[] = [];
  #answers: ((refusal?: object) => void)[] = [];

  untitled(request: UntitledRequest): Promise<UntitledReply> {
    this.asked.push(request);
    if (request.cmd === "takeUntitled") return Promise.resolve({ reply: "texts", value: { texts: this.left } });
    return new Promise((resolve, reject) => {
      this.#answers.push((refusal) => (refusal === undefined ? resolve({ reply: "done" }) : reject(refusal)));
    });
  }

  async answer(refusal?: object): Promise<void> {
    this.#answers.shift()?.(refusal);
    await vi.advanceTimersByTimeAsync(0);
  }

  get kept(): string[] {
    return this.asked.flatMap((one) => (one.cmd === "keepUntitled" ? [one.args.text] : []));
  }
}

const shell = { now: new ToyShell() };
const troubles: unknown[] = [];

function makeTexts(): UntitledTexts {
  const open = ({ path }: ViewOpened, text: string): OpenFile => {
    const model = new ToyModel();
    model.text = text;
    return { path, lastPath: path, model, dispose: () => undefined } as unknown as OpenFile;
  };
  return new UntitledTexts(open, shell.now as unknown as Client, (cause) => troubles.push(cause));
}

const modelOf = (texts: UntitledTexts, path: string): ToyModel => texts.get(path)?.model as unknown as ToyModel;

beforeEach(() => {
  vi.useFakeTimers();
  shell.now = new ToyShell();
  troubles.length = 0;
});
afterEach(() => vi.useRealTimers());

describe("texts without a name", () => {
  it("are kept with every key, and the newest after what is under way", async () => {
    const texts = makeTexts();
    const model = modelOf(texts, texts.create());
    for (const key of "abc") model.type(key);
    expect(shell.now.kept).toEqual(["a"]);
    await shell.now.answer();
    expect(shell.now.kept).toEqual(["a", "abc"]);
    await shell.now.answer();
    model.type("d");
    expect(shell.now.kept).toEqual(["a", "abc", "abcd"]);
  });

  it("are sent whole before the page goes, whatever is under way", () => {
    const texts = makeTexts();
    const model = modelOf(texts, texts.create());
    for (const key of "abc") model.type(key);
    texts.dispose();
    expect(shell.now.kept).toEqual(["a", "abc"]);
  });

  it("are tried again by themselves when they could not be kept, which is said once", async () => {
    const texts = makeTexts();
    modelOf(texts, texts.create()).type("a");
    for (let n = 0; n < 2; n += 1) {
      await shell.now.answer({ code: "diskFull" });
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(shell.now.kept).toEqual(["a", "a", "a"]);
    expect(troubles).toHaveLength(1);
  });

  it("are not kept again once they are dropped", async () => {
    const texts = makeTexts();
    const path = texts.create();
    const model = modelOf(texts, path);
    for (const key of "ab") model.type(key);
    void texts.drop(path);
    await shell.now.answer();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(shell.now.asked.map(({ cmd }) => cmd)).toEqual(["keepUntitled", "dropUntitled"]);
    expect(texts.get(path)).toBeNull();
  });

  it("come back by the names they had, and a new one takes the lowest that is free", async () => {
    shell.now.left = [{ id: "10-b", text: "ten" }, { id: "2-a", text: "two" }, { id: "1-a", text: "" }];
    const texts = makeTexts();
    await texts.take();
    expect(texts.paths.map((path) => path.slice(path.lastIndexOf("/") + 1))).toEqual(["Untitled-1", "Untitled-2", "Untitled-10"]);
    expect(texts.paths.map((path) => texts.isEmpty(path))).toEqual([true, false, false]);
    expect(texts.create()).toMatch(/\/Untitled-3$/);
  });
});
