/** The view of a large file against a file in memory: which rows are asked for, how the caret goes, what is copied. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Client } from "../../api/client";
import type { Call, CallReply, LargePlace, LargeReply, LargeRequest } from "../../api/generated";
import type { Host } from "../../platform/host";
import { LargeView, PAGE_ROWS, SCROLL_PX_MAX, scrollHeight, visible } from "./largeView.svelte";

class File implements Host {
  readonly kind = "fake";
  asked: LargeRequest[] = [];
  generation = 1;
  constructor(public lines: string[]) {}
  async subscribe(): Promise<void> {}
  async rpc(call: Call): Promise<CallReply> {
    if (call.to !== "large") throw new Error("not asked for here");
    this.asked.push(call.request);
    return { to: "large", reply: this.#answer(call.request) };
  }
  #answer(request: LargeRequest): LargeReply {
    const { lines, generation } = this;
    switch (request.cmd) {
      case "look": {
        const n = lines.length;
        return { reply: "state", value: { generation, isText: true, nRows: n, nLines: n, sizeBytes: n, lookedBytes: n, widestUnits: 80, encoding: "UTF-8", lineEnd: "lf" } };
      }
      case "rows": {
        const { from, n } = request.args;
        return { reply: "rows", value: { generation, rows: lines.slice(from, from + n).map((text, at) => ({ text, line: from + at + 1, startsLine: true })) } };
      }
      case "rowOfLine":
        return { reply: "row", value: { row: Math.min(request.args.line, lines.length) - 1 } };
      case "text": {
        const at = ({ row, column }: LargePlace): number => lines.slice(0, row).join("").length + row + Math.min(column, lines[row]?.length ?? 0);
        return { reply: "text", value: { text: lines.join("\n").slice(at(request.args.from), at(request.args.to)) } };
      }
      default:
        return { reply: "done" };
    }
  }
}

const views: LargeView[] = [];
async function viewOf(lines: string[]): Promise<{ file: File; view: LargeView }> {
  const file = new File(lines);
  const view = new LargeView(new Client(file), "big.log");
  views.push(view);
  await view.start();
  view.n_visible = 10.5;
  return { file, view };
}
const numbered = (n: number): string[] => Array.from({ length: n }, (_, at) => `line ${at + 1}`);

afterEach(() => {
  for (const view of views.splice(0)) view.dispose();
  vi.useRealTimers();
});

describe("the view of a large file", () => {
  it("asks for the rows around those that are seen, and once only", async () => {
    const { file, view } = await viewOf(numbered(1_000_000));
    view.need(500_000, 500_010);
    view.need(500_001, 500_011);
    await vi.waitFor(() => expect(view.row(500_000)?.text).toBe("line 500001"));
    const pages = file.asked.flatMap((request) => (request.cmd === "rows" ? [request.args.from / PAGE_ROWS] : []));
    expect(pages).toEqual([...new Set(pages)]);
    expect(pages.length).toBeLessThan(4);
  });

  it("holds few rows however far it is scrolled", async () => {
    const { view } = await viewOf(numbered(100_000));
    for (let row = 0; row < 100_000; row += 500) {
      view.need(row, row + 10);
      await view.settled();
    }
    await vi.waitFor(() => expect(view.row(99_500)).not.toBeNull());
    expect(Array.from({ length: 1_000 }, (_, at) => view.row(at * 100)).filter((row) => row !== null).length).toBeLessThan(200);
  });

  it("moves the caret as keys do, and shows it", async () => {
    const { view } = await viewOf(["one", "", "th😀ee", ...numbered(200)]);
    await view.move("rowEnd", false);
    await view.move("down", false);
    expect(view.caret).toEqual({ row: 1, column: 0 });
    await view.move("down", false);
    expect(view.caret, "the column comes back").toEqual({ row: 2, column: 3 });
    view.place({ row: 2, column: 2 });
    await view.move("right", true);
    expect(view.caret, "a pair is one step").toEqual({ row: 2, column: 4 });
    expect(await view.markedText()).toBe("😀");
    await view.move("left", false);
    await view.move("left", false);
    await view.move("left", false);
    await view.move("left", false);
    expect(view.caret, "over the line end").toEqual({ row: 1, column: 0 });
    await view.move("end", false);
    expect(view.caret).toEqual({ row: 202, column: 8 });
    expect(view.top).toBeCloseTo(203 - 10.5);
    await view.move("pageUp", true);
    expect(view.caret.row).toBe(193);
    await view.move("start", false);
    expect([view.top, view.hasMarked]).toEqual([0, false]);
  });

  it("copies across rows, the whole row without a mark", async () => {
    const { view } = await viewOf(numbered(500));
    view.mark({ row: 300, column: 5 }, { row: 298, column: 0 });
    expect(await view.markedText()).toBe("line 299\nline 300\nline ");
    await view.goToLine(7);
    expect(await view.markedText()).toBe("line 7\n");
    view.markAll();
    expect(await view.markedText()).toBe(numbered(500).join("\n"));
  });

  it("parts a row at what is marked and at the caret", async () => {
    const { view } = await viewOf(["one two", "three", "four"]);
    view.need(0, 3);
    await view.settled();
    view.mark({ row: 2, column: 2 }, { row: 0, column: 4 });
    expect([0, 1, 2].map((row) => view.partsOf(row))).toEqual([
      { before: "one ", marked: "two", behind: "", caret: "start", goesOn: true },
      { before: "", marked: "three", behind: "", caret: null, goesOn: true },
      { before: "", marked: "fo", behind: "ur", caret: null, goesOn: false },
    ]);
    view.markWord({ row: 0, column: 5 });
    expect(view.partsOf(0)).toEqual({ before: "one ", marked: "two", behind: "", caret: "end", goesOn: false });
    expect(view.partsOf(1)).toEqual({ before: "", marked: "", behind: "three", caret: null, goesOn: false });
  });

  it("sees that the file grew, and that it is another one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { file, view } = await viewOf(["one"]);
    view.need(0, 5);
    await vi.waitFor(() => expect(view.row(0)?.text).toBe("one"));
    file.lines = ["one", "two"];
    await vi.advanceTimersByTimeAsync(1_100);
    view.need(0, 5);
    await vi.waitFor(() => expect(view.row(1)?.text).toBe("two"));
    view.place({ row: 1, column: 3 });
    file.lines = ["other"];
    file.generation = 2;
    await vi.advanceTimersByTimeAsync(1_100);
    view.need(0, 5);
    await vi.waitFor(() => expect(view.row(0)?.text).toBe("other"));
    expect(view.caret).toEqual({ row: 0, column: 0 });
  });
});

it("what has no shape gets one, of the same length", () => {
  expect(visible("a\u0000b\u001b[0m\tc\u007f")).toBe("a\u2400b\u241b[0m\tc\u2421");
});

it("nothing on the page is higher than a browser can make it", () => {
  expect(scrollHeight(1_400_000, 20)).toBe(SCROLL_PX_MAX);
  expect(scrollHeight(10, 20)).toBe(200);
});
