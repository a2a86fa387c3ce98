/** The timeline's state against a small real history whose answers come when the test says so. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Author, Bucket, MomentInfo, Reply, Request, Scope, Splice } from "../api/generated";
import { past } from "./past.svelte";
import { FIRST_OF_FILE, type TextUpdate, TimelineState } from "./timeline.svelte";

const ME: Author = { id: "me", name: "Asha", initials: "AS", color: 0 };
const START_MS = 1_000_000;

interface Step {
  path: string;
  splice: Splice;
  atMs: number;
}

/** Answers like the engine does, from a list of steps in one or more files. */
class FakeHistory {
  steps: Step[] = [];
  named: { name: string; index: number }[] = [];
  now_ms = START_MS;

  type(path: string, text: string, gap_ms = 100): void {
    for (const char of text) {
      this.now_ms += gap_ms;
      const length = this.textAt(path, Infinity)?.length ?? 0;
      this.steps.push({ path, splice: [length, 0, char], atMs: this.now_ms });
    }
  }

  inScope(scope: Scope): { step: Step; workspaceIndex: number }[] {
    return this.steps
      .map((step, i) => ({ step, workspaceIndex: i + 1 }))
      .filter(({ step }) => scope.kind === "workspace" || scope.kind === "folder" || step.path === scope.path);
  }

  workspaceIndex(scope: Scope, index: number): number {
    return index === 0 ? 0 : (this.inScope(scope)[index - 1]?.workspaceIndex ?? 0);
  }

  textAt(path: string, workspaceIndex: number): string | null {
    let text: string | null = null;
    for (const step of this.steps.slice(0, workspaceIndex)) {
      if (step.path !== path) continue;
      const [position, deleted, inserted] = step.splice;
      text = (text ?? "").slice(0, position) + inserted + (text ?? "").slice(position + deleted);
    }
    return text;
  }

  moment(scope: Scope, index: number): MomentInfo {
    const inScope = this.inScope(scope);
    const step = inScope[index - 1]?.step;
    return {
      index,
      nMoments: inScope.length,
      workspaceIndex: this.workspaceIndex(scope, index),
      atMs: step?.atMs ?? 0,
      deltaId: null,
      author: step ? ME : null,
      path: step?.path ?? null,
      added: step?.splice[2].length ?? 0,
      removed: step?.splice[1] ?? 0,
      label: null,
      position: step?.splice[0] ?? null,
    };
  }

  answer(request: Request): Reply {
    switch (request.cmd) {
      case "timeline": {
        const { scope } = request.args;
        const n = this.inScope(scope).length;
        const named = this.named.map(({ name, index }) => ({
          deltaId: "d", name, note: null, automatic: false, atMs: 0, author: "Asha", index,
        }));
        const firstMs = this.inScope(scope)[0]?.step.atMs ?? null;
        return {
          reply: "timeline",
          value: { nMoments: n, firstMs, lastMs: this.now_ms, authors: [ME], gaps: [], named },
        };
      }
      case "histogram": {
        const { from, to } = request.args;
        const bucket: Bucket = { from, to, startMs: 0, endMs: 1, chars: [[0, to - from]] };
        return { reply: "histogram", value: { buckets: [bucket] } };
      }
      case "momentInfo":
        return { reply: "moment", value: this.moment(request.args.scope, request.args.index) };
      case "textAt": {
        const { path, scope, index, have } = request.args;
        const text = this.textAt(path, this.workspaceIndex(scope, index));
        const before = have === null ? null : this.textAt(path, this.workspaceIndex(scope, have));
        const splices: Splice[] | null = before === null || text === null ? null : [[0, before.length, text]];
        const moment = this.moment(scope, index);
        return {
          reply: "text",
          value: { index, text: splices ? null : text, splices, exists: text !== null, path, moment },
        };
      }
      case "stepMoment": {
        const { scope, index, unit, direction } = request.args;
        const n = this.inScope(scope).length;
        const by = unit === "change" ? 1 : unit === "page" ? Math.ceil(n / 10) : unit === "end" ? n : 2;
        const to = Math.max(0, Math.min(n, direction === "back" ? index - by : index + by));
        return { reply: "moment", value: this.moment(scope, to) };
      }
      case "resolveMoment": {
        const { scope, moment } = request.args;
        const inScope = this.inScope(scope);
        let index = inScope.length;
        if (moment.kind === "workspaceStep") {
          index = inScope.filter((entry) => entry.workspaceIndex <= moment.value).length;
        } else if (moment.kind === "time") {
          index = inScope.filter((entry) => entry.step.atMs <= moment.value).length;
        }
        return { reply: "moment", value: this.moment(scope, index) };
      }
      case "nameMoment":
      case "renameMoment":
        return { reply: "done" };
      case "findInHistory": {
        const found = this.inScope(request.args.scope).find(({ step }) => step.splice[2] === request.args.text);
        const place = { fileId: "f", kind: "appeared", atMs: 0, author: ME, deltaId: "d", line: "" } as const;
        const hits = found === undefined ? [] : [{ ...place, path: found.step.path, index: 1, workspaceIndex: found.workspaceIndex }];
        return { reply: "found", value: { hits, truncated: false } };
      }
      case "compare": {
        const file = { path: "a.rs", oldPath: null, kind: "changed", linesAdded: 3, linesRemoved: 1, patch: null } as const;
        return { reply: "compared", value: { files: [file] } };
      }
      case "restore":
        return { reply: "restored", value: { groupId: "g1", sentence: "Restored.", nFiles: 1, paths: ["a.rs"] } };
      default:
        throw new Error(`The fake history does not know ${request.cmd}.`);
    }
  }
}

class FakePort {
  readonly history = new FakeHistory();
  readonly asked: Request[] = [];
  #held: (() => void)[] = [];
  #timers: { due_ms: number; run: () => void }[] = [];
  clock_ms = 0;
  /** Commands whose answers wait for `release`. */
  holds = new Set<string>();
  refuses = new Map<string, string>();

  ask(request: Request): Promise<Reply> {
    this.asked.push(request);
    const answer = new Promise<Reply>((resolve, reject) => {
      const give = (): void => {
        const refusal = this.refuses.get(request.cmd);
        if (refusal !== undefined) reject({ code: "notText", message: refusal, detail: null });
        else resolve(this.history.answer(request));
      };
      if (this.holds.has(request.cmd)) this.#held.push(give);
      else give();
    });
    return answer;
  }

  now(): number {
    return this.clock_ms;
  }

  async painted(): Promise<void> {}

  after(ms: number, run: () => void): () => void {
    const timer = { due_ms: this.clock_ms + ms, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  async release(): Promise<void> {
    this.#held.shift()?.();
    await settled();
  }

  async pass(ms: number): Promise<void> {
    const end_ms = this.clock_ms + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.due_ms <= end_ms).sort((a, b) => a.due_ms - b.due_ms)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.clock_ms = next.due_ms;
      next.run();
      await settled();
    }
    this.clock_ms = end_ms;
  }

  count(cmd: string): number {
    return this.asked.filter((request) => request.cmd === cmd).length;
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

async function opened(text = "hello world"): Promise<{ port: FakePort; state: TimelineState }> {
  const port = new FakePort();
  port.history.type("a.rs", text);
  const state = new TimelineState(port);
  await state.setPath("a.rs");
  await settled();
  return { port, state };
}

beforeEach(() => {
  past.moment = null;
});

describe("the hand and the text", () => {
  it("has one text under way; of many places the hand passed, only the last is asked for next", async () => {
    const { port, state } = await opened();
    port.holds.add("textAt");
    for (const index of [9, 8, 7, 6, 5]) state.seek(index);
    await settled();
    expect(port.count("textAt")).toBe(1);
    expect(state.index).toBe(5);
    await port.release();
    expect(state.shown?.text).toBe("hello wor");
    expect(port.count("textAt")).toBe(2);
    await port.release();
    expect(state.shown?.text).toBe("hello");
    expect(port.count("textAt")).toBe(2);
  });

  it("asks for splices from the text it has, and hands them on", async () => {
    const { port, state } = await opened();
    const updates: TextUpdate[] = [];
    state.onText((update) => updates.push(update));
    state.seek(5);
    await settled();
    state.seek(7);
    await settled();
    const texts = port.asked.filter((request) => request.cmd === "textAt").map((request) => request.args.have);
    expect(texts).toEqual([null, 5]);
    expect(updates).toEqual([{ text: "hello" }, { splices: [[0, 5, "hello w"]] }]);
    expect(state.shown?.text).toBe("hello w");
  });

  it("is late only when a text takes longer than 50 ms", async () => {
    const { port, state } = await opened();
    port.holds.add("textAt");
    state.seek(4);
    await port.pass(40);
    expect(state.isLate).toBe(false);
    await port.pass(20);
    expect(state.isLate).toBe(true);
    await port.release();
    expect(state.isLate).toBe(false);
  });

  it("keeps to the ends", async () => {
    const { state } = await opened("abc");
    state.seek(-4);
    expect(state.index).toBe(0);
    state.seek(99);
    expect(state.index).toBe(3);
  });

  it("a hand let go at the right end is back at now; anywhere else it stays", async () => {
    const { state } = await opened("abc");
    state.grab();
    state.seek(1);
    await settled();
    state.settle();
    expect(state.isPast).toBe(true);
    expect(past.moment).toEqual({ scope: { kind: "file", path: "a.rs" }, index: 1, workspaceIndex: 1, atMs: START_MS + 100 });
    state.grab();
    state.seek(3);
    state.settle();
    expect(state.isPast).toBe(false);
    expect(past.moment).toBeNull();
  });

  it("an answer that comes after the return to now is dropped", async () => {
    const { port, state } = await opened();
    port.holds.add("textAt");
    state.seek(4);
    await settled();
    state.backToNow();
    await port.release();
    expect(state.shown).toBeNull();
    expect(past.moment).toBeNull();
  });

  it("a file without text still has moments", async () => {
    const { port, state } = await opened();
    port.refuses.set("textAt", "logo.psd isn't text.");
    state.seek(4);
    await settled();
    expect(state.shown?.moment.index).toBe(4);
    expect(state.shown?.text).toBeNull();
    expect(state.notice).toBe("logo.psd isn't text.");
    expect(port.count("textAt")).toBe(1);
  });
});

describe("whose timeline", () => {
  it("another file in the past is shown at the same moment", async () => {
    const { port, state } = await opened("abc");
    port.history.type("b.rs", "xy");
    port.history.type("a.rs", "def");
    await state.refresh();
    state.seek(4);
    await settled();
    expect(past.moment?.workspaceIndex).toBe(6);
    await state.setPath("b.rs");
    await settled();
    expect(state.index).toBe(2);
    expect(state.shown?.text).toBe("xy");
    await state.setPath("a.rs");
    await settled();
    expect(state.shown?.text).toBe("abc");
  });

  it("another scope keeps the moment", async () => {
    const { port, state } = await opened("abc");
    port.history.type("b.rs", "xy");
    port.history.type("a.rs", "def");
    await state.refresh();
    state.seek(5);
    await settled();
    await state.setScope("workspace");
    await settled();
    expect(state.index).toBe(7);
    expect(state.shown?.text).toBe("abcde");
    expect(past.moment?.workspaceIndex).toBe(7);
  });

  it("asks for no text of the old index in the new scope", async () => {
    const { port, state } = await opened("abcdef");
    port.history.type("b.rs", "xy");
    await state.refresh();
    state.seek(5);
    await settled();
    port.asked.length = 0;
    await state.setPath("b.rs");
    await settled();
    const indices = port.asked.filter((request) => request.cmd === "textAt").map((request) => request.args.index);
    expect(indices).toEqual([0]);
  });

  it("follows the keyboard between tree and text, but not while the past is shown", async () => {
    const { state } = await opened("abc");
    await state.followFocus("tree");
    expect(state.scope).toEqual({ kind: "workspace" });
    await state.followFocus("text");
    expect(state.scope).toEqual({ kind: "file", path: "a.rs" });
    state.seek(1);
    await settled();
    await state.followFocus("tree");
    expect(state.scope).toEqual({ kind: "file", path: "a.rs" });
    state.backToNow();
  });

  it("a scope that was chosen stays; choosing this file lets the keyboard decide again", async () => {
    const { state } = await opened("abc");
    await state.setScope("workspace");
    await state.followFocus("text");
    expect(state.scope).toEqual({ kind: "workspace" });
    await state.setScope("file");
    await state.followFocus("tree");
    expect(state.scope).toEqual({ kind: "workspace" });
  });

  it("without a file it is the workspace's, and says moments without texts", async () => {
    const port = new FakePort();
    port.history.type("a.rs", "abc");
    const state = new TimelineState(port);
    await state.refresh();
    state.seek(2);
    await settled();
    expect(state.scope).toEqual({ kind: "workspace" });
    expect(port.count("textAt")).toBe(0);
    expect(past.moment?.workspaceIndex).toBe(2);
  });
});

describe("another workspace", () => {
  it("nothing of the one before stays", async () => {
    const { state } = await opened("abc");
    state.seek(1);
    await settled();
    state.stop();
    expect(past.moment).toBeNull();
    expect([state.path, state.info, state.index, state.buckets]).toEqual([null, null, null, []]);
    await state.start();
    expect(state.scope).toEqual({ kind: "workspace" });
    expect(state.stretch).toEqual({ from: 0, to: 3 });
  });

  it("a folder that was asked for stays the scope until another is chosen", async () => {
    const { state } = await opened("abc");
    await state.showFolder("src/deep");
    expect(state.scope).toEqual({ kind: "folder", path: "src/deep" });
    await state.setScope("folder");
    // The folder of a file at the top is the workspace.
    expect(state.scope).toEqual({ kind: "workspace" });
    await state.setScope("file");
    expect(state.scope).toEqual({ kind: "file", path: "a.rs" });
  });
});

describe("what was found", () => {
  it("in the whole workspace holds for whichever file is looked at; of one file only for that", async () => {
    const { state } = await opened("abc");
    await state.find("b");
    expect(state.hits.length).toBeGreaterThan(0);
    await state.setPath("b.rs");
    expect(state.hits).toEqual([]);
    await state.setScope("workspace");
    await settled();
    const { hits } = state;
    await state.setPath("a.rs");
    expect([hits.length > 0, state.hits]).toEqual([true, hits]);
  });

  it("in one scope is searched anew in the next, and said to be nowhere only by the answer", async () => {
    const { port, state } = await opened("abc");
    port.history.type("b.rs", "xyz");
    await state.find("x");
    expect([state.isFinding, state.findText, state.hits]).toEqual([false, "x", []]);
    port.holds.add("findInHistory");
    const moving = state.setPath("b.rs");
    expect([state.isFinding, state.hits]).toEqual([true, []]);
    await moving;
    await port.release();
    expect([state.isFinding, state.findText, state.hits.map((hit) => hit.path)]).toEqual([false, "x", ["b.rs"]]);
  });

  it("is not waited for for ever when the scope changes under a search", async () => {
    const { port, state } = await opened("abc");
    port.history.type("b.rs", "xyz");
    port.holds.add("findInHistory");
    void state.find("x");
    await state.setScope("workspace");
    // What was asked in the file comes, and counts no more.
    await port.release();
    expect([state.isFinding, state.hits]).toEqual([true, []]);
    await port.release();
    expect([state.isFinding, state.hits.length]).toEqual([false, 1]);
  });

  it("goes on being searched in the whole workspace when another file is looked at", async () => {
    const { port, state } = await opened("abc");
    await state.setScope("workspace");
    port.holds.add("findInHistory");
    void state.find("b");
    await state.setPath("b.rs");
    await port.release();
    expect([state.isFinding, state.hits.length, port.count("findInHistory")]).toEqual([false, 1, 1]);
  });

  it("is not said to be nowhere when the search was refused", async () => {
    const { port, state } = await opened("abc");
    port.refuses.set("findInHistory", "It cannot be read.");
    await state.find("b");
    expect([state.isFinding, state.findText, state.notice]).toEqual([false, "", "It cannot be read."]);
  });

  it("ends with the workspace", async () => {
    const { port, state } = await opened("abc");
    await state.find("b");
    state.stop();
    await state.start();
    expect([state.isFinding, state.hits, port.count("findInHistory")]).toEqual([false, [], 1]);
  });
});

describe("going round the scopes", () => {
  it("leaves out the folder of a file at the top: it is the workspace", async () => {
    const { state } = await opened("abc");
    const seen: string[] = [];
    for (let i = 0; i < 2; i += 1) {
      await state.cycleScope();
      seen.push(state.scopeKind);
    }
    expect(seen).toEqual(["workspace", "file"]);
  });
});

describe("a file that has no timeline", () => {
  it("shows why, and nothing of the file before", async () => {
    const { port, state } = await opened("abc");
    port.refuses.set("timeline", "debug.log is kept out of history by the ignore rules.");
    await state.setPath("debug.log");
    await settled();
    expect([state.nMoments, state.notice]).toEqual([0, "debug.log is kept out of history by the ignore rules."]);
    state.seek(1);
    expect(state.isPast).toBe(false);
  });
});

describe("growing", () => {
  it("nothing grows under a hand that drags", async () => {
    const { port, state } = await opened("abc");
    state.grab();
    state.seek(1);
    port.history.type("a.rs", "def");
    state.historyGrew(["a.rs"]);
    await port.pass(3_000);
    expect(state.nMoments).toBe(3);
    state.settle();
    await port.pass(1_000);
    expect(state.nMoments).toBe(6);
    expect(state.index).toBe(1);
  });

  it("what others type extends the strip and leaves the hand", async () => {
    const { port, state } = await opened("abc");
    state.seek(1);
    await settled();
    port.history.type("a.rs", "def");
    port.clock_ms = 10_000;
    state.historyGrew(["a.rs"]);
    state.historyGrew(["a.rs"]);
    await port.pass(1_000);
    expect(port.count("timeline")).toBe(2);
    expect(state.nMoments).toBe(6);
    expect(state.stretch).toEqual({ from: 0, to: 6 });
    expect(state.index).toBe(1);
    expect(state.shown?.text).toBe("a");
  });

  it("other files' changes do not concern this file's strip", async () => {
    const { port, state } = await opened("abc");
    state.historyGrew(["b.rs"]);
    await port.pass(5_000);
    expect(port.count("timeline")).toBe(1);
  });

  it("a part that does not reach now stays where it is", async () => {
    const { port, state } = await opened("abcdefghijklmnopqrstuvwxyz");
    state.setStretch(2, 14);
    port.history.type("a.rs", "123");
    await state.refresh();
    expect(state.stretch).toEqual({ from: 2, to: 14 });
  });
});

describe("a marked range", () => {
  it("is summed up when the hand lets go: when, who, how much, where", async () => {
    const { port, state } = await opened("abcdef");
    state.mark(5, 2.4);
    expect(state.range).toEqual({ from: 2, to: 5 });
    await state.sumUp();
    expect(state.rangeSummary).toEqual({
      from: 2, to: 5, from_ms: START_MS + 200, to_ms: START_MS + 500, authors: ["Asha"],
      lines_added: 3, lines_removed: 1, paths: ["a.rs"],
    });
    expect(port.asked.find((request) => request.cmd === "compare")?.args).toEqual({
      path: "a.rs", from: { kind: "workspaceStep", value: 2 }, to: { kind: "workspaceStep", value: 5 },
    });
  });

  it("of nothing is no range", async () => {
    const { state } = await opened("abc");
    state.mark(2, 2);
    await state.sumUp();
    expect(state.range).toBeNull();
  });
});

describe("steps", () => {
  it("from now, a step back enters the past; forward at the end leaves it", async () => {
    const { state } = await opened("abc");
    await state.step("change", "back");
    await settled();
    expect(state.shown?.text).toBe("ab");
    await state.step("change", "forward");
    expect(state.isPast).toBe(false);
  });

  it("says when there is nothing before", async () => {
    const { state } = await opened("abc");
    await state.step("end", "back");
    await settled();
    expect(state.notice).toBeNull();
    await state.step("change", "back");
    expect(state.notice).toBe(FIRST_OF_FILE);
  });

  it("a held key does not pile up steps", async () => {
    const { port, state } = await opened("abcdefghij");
    port.holds.add("stepMoment");
    for (let i = 0; i < 9; i += 1) void state.step("change", "back");
    await settled();
    await port.release();
    await port.release();
    await port.release();
    expect(port.count("stepMoment")).toBe(2);
    expect(state.index).toBe(8);
  });
});

describe("the part shown", () => {
  it("zooms around a place and stays inside", async () => {
    const { state } = await opened("x".repeat(100));
    state.zoomBy(0.5, 50);
    expect(state.stretch).toEqual({ from: 25, to: 75 });
    state.zoomBy(0.5, 75);
    expect(state.stretch).toEqual({ from: 50, to: 75 });
    state.zoomBy(100, 75);
    expect(state.stretch).toEqual({ from: 0, to: 100 });
    state.zoomBy(0.001, 30);
    expect(state.stretch.to - state.stretch.from).toBe(10);
  });

  it("a preset shows that much time before now", async () => {
    const { port, state } = await opened("x".repeat(50));
    port.history.now_ms += 3 * 3_600_000;
    port.history.type("a.rs", "y".repeat(20), 1_000);
    await state.refresh();
    await state.zoomTo("1h");
    expect(state.stretch).toEqual({ from: 50, to: 70 });
  });
});

describe("playing", () => {
  it("shows the film at its speed and ends at now", async () => {
    const { port, state } = await opened("abcdefghij");
    state.seek(1);
    await settled();
    state.togglePlaying();
    await port.pass(350);
    expect(state.playing).toBe(true);
    expect(state.shown?.text).toBe("abcd");
    await port.pass(2_000);
    expect(state.playing).toBe(false);
    expect(state.isPast).toBe(false);
  });

  it("skips idle time", async () => {
    const { port, state } = await opened("ab");
    port.history.now_ms += 3_600_000;
    port.history.type("a.rs", "cdefgh");
    await state.refresh();
    state.seek(1);
    await settled();
    state.togglePlaying();
    await port.pass(400);
    expect(state.shown?.text?.length).toBeGreaterThan(2);
    expect(state.playing).toBe(true);
  });

  it("a hand on the handle stops it", async () => {
    const { port, state } = await opened("abcdefghij");
    state.seek(1);
    await settled();
    state.togglePlaying();
    await port.pass(100);
    state.grab();
    const { index } = state;
    await port.pass(1_000);
    expect(state.playing).toBe(false);
    expect(state.index).toBe(index);
  });
});

describe("acts", () => {
  it("restore names the moment for the whole workspace, then is back at now", async () => {
    const { port, state } = await opened("abc");
    state.seek(2);
    await settled();
    const restored = await state.restore({ kind: "file", value: { path: "a.rs" } }, state.at);
    expect(restored.groupId).toBe("g1");
    expect(port.asked.find((request) => request.cmd === "restore")?.args).toEqual({
      target: { kind: "file", value: { path: "a.rs" } },
      at: { kind: "workspaceStep", value: 2 },
    });
    expect(state.isPast).toBe(false);
  });

  it("a refused restore stays in the past and is told to the caller", async () => {
    const { port, state } = await opened("abc");
    state.seek(2);
    await settled();
    port.refuses.set("restore", "This folder is read-only.");
    await expect(state.restore({ kind: "workspace" }, state.at)).rejects.toMatchObject({ message: "This folder is read-only." });
    expect(state.isPast).toBe(true);
  });

  it("a name goes to the moment shown, or to now", async () => {
    const { port, state } = await opened("abc");
    await state.name("first", null);
    state.seek(1);
    await settled();
    await state.name("second", "why");
    const named = port.asked.filter((request) => request.cmd === "nameMoment").map((request) => request.args);
    expect(named).toEqual([
      { name: "first", note: null, at: null },
      { name: "second", note: "why", at: { kind: "workspaceStep", value: 1 } },
    ]);
  });
});
