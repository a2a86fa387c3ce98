/** What the timeline's acts do and say. */
import { beforeEach, describe, expect, it } from "vitest";
import type { MomentInfo, Reply, Request, RestorePlan } from "../../api/generated";
import { viewersLook } from "../../base/messages";
import { past } from "../../state/past.svelte";
import { TimelineState } from "../../state/timeline.svelte";
import { type Surroundings, TimelineActions, type ToastButton, nameOfCopy } from "./actions.svelte";

const AT_MS = new Date(2026, 10, 21, 14, 32, 7).getTime();
const NOW_MS = new Date(2026, 10, 21, 15, 10, 30).getTime();
const N = 10;

function info(index: number): MomentInfo {
  return {
    index, nMoments: N, workspaceIndex: index * 2, atMs: AT_MS, deltaId: "d", author: null,
    path: "src/lexer.rs", added: 1, removed: 0, label: null, position: 0,
  };
}

const PLAN: RestorePlan = { atMs: AT_MS, changes: [], nChanged: 7, nReturning: 1, nLeaving: 2, others: [["Bo", 96]] };

class Scene {
  readonly asked: Request[] = [];
  readonly toasts: { text: string; buttons: ToastButton[]; stays: boolean }[] = [];
  readonly copied: string[] = [];
  refusal: object | null = null;
  groupId: string | null = "g7";
  selection: { start: number; end: number } | null = null;
  canCopy = true;
  n_focused = 0;
  whyLookOnly: string | null = null;
  readonly timeline = new TimelineState({
    ask: async (request) => this.#answer(request),
    now: () => NOW_MS,
    after: () => () => undefined,
    painted: async () => undefined,
  });
  readonly around: Surroundings = {
    toast: (text, options) =>
      void this.toasts.push({ text, buttons: options?.buttons ?? [], stays: options?.stays ?? false }),
    copy: async (text) => {
      if (!this.canCopy) throw new Error("no clipboard");
      this.copied.push(text);
    },
    openAsNew: async (path) => path,
    pastSelection: () => this.selection,
    focusEditor: () => void (this.n_focused += 1),
    open: () => undefined,
    focusShown: () => void (this.n_focused += 1),
    whyLookOnly: () => this.whyLookOnly,
    workspaceName: () => "parser-lab",
    now: () => NOW_MS,
  };
  readonly actions = new TimelineActions(this.timeline, this.around);

  #answer(request: Request): Reply {
    this.asked.push(request);
    if (request.cmd === "restore" && this.refusal !== null) throw this.refusal;
    switch (request.cmd) {
      case "timeline":
        return { reply: "timeline", value: { nMoments: N, firstMs: 1, lastMs: AT_MS, authors: [], gaps: [], named: [] } };
      case "histogram":
        return { reply: "histogram", value: { buckets: [] } };
      case "textAt": {
        const { index } = request.args;
        return { reply: "text", value: { index, text: "fn main() {}", splices: null, exists: true, path: "src/lexer.rs", moment: info(index) } };
      }
      case "restore":
        return { reply: "restored", value: { groupId: this.groupId, sentence: "Restored lexer.rs to 14:32:07.", nFiles: 1, paths: [] } };
      case "restorePreview":
        return { reply: "preview", value: PLAN };
      case "undoGroup":
        return { reply: "undone", value: { kind: "applied", caret: null, message: null, paths: [], groupId: "g8" } };
      case "nameMoment":
        return { reply: "done" };
      default:
        throw new Error(`not expected: ${request.cmd}`);
    }
  }

  targets(): unknown[] {
    return this.asked.flatMap((request) => (request.cmd === "restore" ? [request.args] : []));
  }
}

async function inThePast(): Promise<Scene> {
  const scene = new Scene();
  await scene.timeline.setPath("src/lexer.rs");
  scene.timeline.seek(4);
  await settled();
  return scene;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

beforeEach(() => {
  past.moment = null;
});

describe("restore", () => {
  it("of the file is immediate; the toast takes it back or shows what changed", async () => {
    const scene = await inThePast();
    await scene.actions.restoreFile();
    const at = { kind: "workspaceStep", value: 8 };
    expect(scene.targets()).toEqual([{ target: { kind: "file", value: { path: "src/lexer.rs" } }, at }]);
    expect(scene.timeline.isPast).toBe(false);
    expect(scene.n_focused).toBe(1);
    const [toast] = scene.toasts;
    expect(toast?.text).toBe("Restored lexer.rs to 14:32:07.");
    expect(toast?.buttons.map((button) => button.label)).toEqual(["Undo", "Show what changed"]);

    toast?.buttons[0]?.run();
    await settled();
    expect(scene.asked.filter((request) => request.cmd === "undoGroup")).toEqual([{ cmd: "undoGroup", args: { groupId: "g7" } }]);
    expect(scene.toasts[1]?.text).toBe("Took the restore of lexer.rs back.");

    toast?.buttons[1]?.run();
    await settled();
    expect([scene.timeline.diff, scene.timeline.index]).toEqual(["now", N]);
  });

  it("of the selection sends the stretch of the past text", async () => {
    const scene = await inThePast();
    scene.selection = { start: 3, end: 7 };
    scene.actions.hasSelection = true;
    await scene.actions.restoreSelection();
    expect(scene.targets()).toMatchObject([{ target: { kind: "pastSelection", value: { path: "src/lexer.rs", start: 3, end: 7 } } }]);
  });

  it("with nothing to restore says so and offers no undo", async () => {
    const scene = await inThePast();
    scene.groupId = null;
    await scene.actions.restoreFile();
    expect(scene.toasts).toMatchObject([{ buttons: [] }]);
  });

  it("of the workspace asks first; Cancel does nothing", async () => {
    const scene = await inThePast();
    await scene.actions.askToRestoreWorkspace();
    expect(scene.actions.question).toMatchObject({ title: "Restore “parser-lab” to 14:32:07?", asked: "15:10", since: "14:32:07" });
    await scene.actions.answer(false);
    expect(scene.actions.question).toBeNull();
    expect(scene.targets()).toEqual([]);
    await scene.actions.askToRestoreWorkspace();
    await scene.actions.answer(true);
    expect(scene.targets()).toMatchObject([{ target: { kind: "workspace" } }]);
  });

  it("of the workspace is to the moment that was asked about, whatever is shown by then", async () => {
    const scene = await inThePast();
    scene.timeline.togglePlaying();
    await scene.actions.askToRestoreWorkspace();
    expect(scene.timeline.playing).toBe(false);
    scene.timeline.seek(7);
    await settled();
    await scene.actions.answer(true);
    expect(scene.targets()).toEqual([{ target: { kind: "workspace" }, at: { kind: "workspaceStep", value: 8 } }]);
  });

  it("of the folder is that of the file, and of the root the whole workspace", async () => {
    const scene = await inThePast();
    await scene.actions.askToRestoreFolder();
    expect(scene.actions.question).toMatchObject({ target: { kind: "folder", value: { path: "src" } }, title: "Restore “src/” to 14:32:07?" });
    await scene.timeline.setPath("README.md");
    await settled();
    scene.timeline.seek(2);
    await settled();
    await scene.actions.askToRestoreFolder();
    expect(scene.actions.question).toMatchObject({ target: { kind: "workspace" } });
  });

  it("that was refused stays in the past and says why", async () => {
    const scene = await inThePast();
    scene.refusal = { code: "readOnly", message: "This folder is read-only.", detail: null };
    await scene.actions.restoreFile();
    expect(scene.toasts).toMatchObject([{ text: "This folder is read-only.", stays: true }]);
    expect(scene.timeline.isPast).toBe(true);
  });

  it("that did not give the previewed text says MSG-TL-3 and keeps the old text at hand", async () => {
    const scene = await inThePast();
    scene.refusal = { code: "mismatch", message: "x", detail: null };
    await scene.actions.restoreFile();
    expect(scene.toasts[0]?.text).toBe("The restore didn't give exactly the text you saw, so we took it back. Nothing changed.");
    scene.toasts[0]?.buttons[0]?.run();
    await settled();
    expect(scene.copied).toEqual(["fn main() {}"]);
  });

  it("is not possible now, and the reason is given", async () => {
    const scene = new Scene();
    expect(scene.actions.whyNoFileRestore).toBe("Open a file first.");
    await scene.timeline.setPath("src/lexer.rs");
    expect(scene.actions.whyNoFileRestore).toBe("Drag back to a moment first.");
    await scene.actions.restoreFile();
    expect(scene.targets()).toEqual([]);
    scene.timeline.seek(3);
    await settled();
    expect(scene.actions.whyNoFileRestore).toBeNull();
    expect(scene.actions.whyNoSelectionRestore).toBe("Select something in the text of that moment first.");
    scene.whyLookOnly = viewersLook(["Asha", "Lin"]);
    expect(scene.actions.whyNoSelectionRestore).toBe("Viewers can look at the past but not restore. Ask Asha or Lin to become an editor.");
    await scene.actions.restoreFile();
    expect(scene.targets()).toEqual([]);
  });
});

describe("other acts", () => {
  it("copy takes the selection, else the whole text, and says so only when it is done", async () => {
    const scene = await inThePast();
    await scene.actions.copy();
    scene.selection = { start: 3, end: 7 };
    await scene.actions.copy();
    expect(scene.copied).toEqual(["fn main() {}", "main"]);
    scene.canCopy = false;
    await scene.actions.copy();
    expect(scene.toasts.at(-1)).toMatchObject({ text: "Couldn't copy. Select the text and press Ctrl+C.", stays: true });
  });

  it("an empty name names nothing", async () => {
    const scene = await inThePast();
    scene.actions.startNaming();
    await scene.actions.name("  ", null);
    expect(scene.timeline.naming).toBe(false);
    expect(scene.asked.some((request) => request.cmd === "nameMoment")).toBe(false);
    await scene.actions.name(" tests green ", null);
    expect(scene.asked.find((request) => request.cmd === "nameMoment")?.args).toMatchObject({ name: "tests green" });
  });

  it("the copy of a moment has a name that says when", () => {
    expect(nameOfCopy("src/lexer.rs", info(4))).toBe("src/lexer 14-32-07.rs");
    expect(nameOfCopy(".gitignore", info(4))).toBe(".gitignore 14-32-07");
  });
});
