import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { past } from "../../state/past.svelte";
import { Tabs } from "../../state/tabs.svelte";
import type { Workbench } from "../../workbench/workbench";
import { Follow } from "./follow.svelte";

class ToyNode {
  constructor(private readonly region = "") {}

  closest(): object | null {
    return this.region === "group" ? this : null;
  }
}

class ToyKey {
  readonly target = new ToyNode();
  readonly ctrlKey = false;
  readonly shiftKey = false;
  readonly altKey = false;
  readonly metaKey = false;

  constructor(
    readonly key: string,
    readonly code: string,
  ) {}
}

const pane = { editor: null };
const people = { followed: null as string | null, placeOf: () => null };
const commands = { get: () => undefined, keysOf: () => ["Ctrl+Alt+F"] };
const editors = { tabs: { groups: [{ id: 1 }] }, pane: () => pane };

function following(): Follow {
  const follow = new Follow({ people, editors, commands } as unknown as Workbench);
  people.followed = "bo";
  follow.groupId = 1;
  return follow;
}

beforeEach(() => {
  vi.stubGlobal("Node", ToyNode);
  vi.stubGlobal("KeyboardEvent", ToyKey);
  vi.stubGlobal("document", { querySelector: () => ({ contains: () => true }), body: {} });
});
afterEach(() => {
  past.moment = null;
  vi.unstubAllGlobals();
});

describe("following", () => {
  it.each([
    ["a", "KeyA"],
    ["Dead", "Equal"],
    ["Process", "KeyA"],
    ["Unidentified", "KeyA"],
  ])("ends with the key %s in the text", (key, code) => {
    following().handleInput(new ToyKey(key, code) as unknown as KeyboardEvent);
    expect(people.followed).toBeNull();
  });

  it.each([["Control", "ControlLeft"], ["AltGraph", "AltRight"], ["Escape", "Escape"]])("goes on with the key %s", (key, code) => {
    following().handleInput(new ToyKey(key, code) as unknown as KeyboardEvent);
    expect(people.followed).toBe("bo");
  });
});

describe("who is followed and goes", () => {
  const told: string[] = [];
  function after(member: { isConnected: boolean; leftMs: number | null }): (string | null)[] {
    told.length = 0;
    const here = { ...people, followed: "bo", nameOf: () => "Bo", member: () => member };
    const tabs = { groups: [{ id: 1, active: null, activeId: null }] };
    const follow = new Follow({ people: here, editors: { tabs, pane: () => pane }, layout: { say: (text: string) => told.push(text) }, notices: { toast: (text: string) => told.push(`! ${text}`) } } as unknown as Workbench);
    follow.groupId = 1;
    follow.apply();
    return [here.followed, ...told];
  }

  it("is said to have left only when they did", () => {
    // Their place is gone a moment before it is told why.
    expect(after({ isConnected: true, leftMs: null })).toEqual(["bo"]);
    expect(after({ isConnected: false, leftMs: 1 })).toEqual([null, "! You were following Bo, who left."]);
    expect(after({ isConnected: false, leftMs: null })).toEqual([null, "Bo is offline."]);
  });
});

describe("asking to come", () => {
  const sent: unknown[] = [];
  const said: string[] = [];
  const opened: string[] = [];
  let go = (): void => undefined;
  const workbench = {
    people: {
      followed: null,
      nameOf: (device: string) => device,
      member: (device: string) => ({ isConnected: device === "Bo", leftMs: device === "Mei" ? 1 : null }),
    },
    editors: { activePath: "src/lexer.rs", caretLine: 43, open: (path: string) => void opened.push(path) },
    commands: { run: (id: string) => void opened.push(id) },
    client: { ask: async (request: unknown) => void sent.push(request) },
    layout: { say: (text: string) => void said.push(text) },
    notices: {
      toast: (text: string, { buttons }: { buttons: [{ run(): void }] }) => {
        said.push(text);
        go = buttons[0].run;
      },
    },
  };
  const follow = new Follow(workbench as unknown as Workbench);

  it.each([
    [null, "Asked the others to come to lexer.rs:43"],
    ["Bo", "Asked Bo to come to lexer.rs:43"],
  ])("goes to everyone or to one (%s)", async (to, told) => {
    await follow.bring(to);
    expect(sent.at(-1)).toEqual({ cmd: "signal", args: { kind: "bring", path: "src/lexer.rs", line: 43, to } });
    expect(said.at(-1)).toBe(told);
  });

  it("goes to nobody who is not there", async () => {
    const n_sent = sent.length;
    await follow.bring("Lin");
    expect(said.at(-1)).toBe("Lin is offline.");
    await follow.bring("Mei");
    expect(said.at(-1)).toBe("Mei left.");
    expect(sent.length).toBe(n_sent);
  });

  it("is told as it was meant", () => {
    follow.asked("Bo", { kind: "bring", path: "src/lexer.rs", line: 43, to: null });
    expect(said.at(-1)).toBe("Bo asks everyone to come to lexer.rs:43.");
    follow.asked("Bo", { kind: "bring", path: "src/lexer.rs", line: 43, to: "me" });
    expect(said.at(-1)).toBe("Bo asks you to come to lexer.rs:43.");
  });

  it("leads out of the past", () => {
    past.moment = { scope: { kind: "workspace" }, index: 3, workspaceIndex: 3, atMs: 0 };
    go();
    expect(opened).toEqual(["timeline.now", "src/lexer.rs"]);
  });
});

describe("whom and for how long", () => {
  class Scene {
    readonly tabs = new Tabs();
    readonly said: string[] = [];
    readonly ran: string[] = [];
    readonly places = new Map<string, string>();
    readonly people = {
      followed: null as string | null,
      here: [{ device: "bo", person: "Bo" }],
      member: (device: string) => ({ device, isSelf: false, isConnected: device === "bo" }),
      nameOf: (device: string) => device,
      placeOf: (device: string) => {
        const path = this.places.get(device);
        return path === undefined ? null : { path, selections: [], topLine: 1 };
      },
    };
    readonly editors = {
      tabs: this.tabs,
      files: {},
      pane: () => ({ editor: null, file: null, hasFocus: false }),
      open: (path: string, options: { isPreview?: boolean; group?: number }) => void this.tabs.open(path, options),
      focusSoon: () => undefined,
    };
    readonly follow = new Follow({
      people: this.people,
      editors: this.editors,
      layout: { say: (text: string) => void this.said.push(text) },
      notices: { toast: (text: string) => void this.said.push(text) },
      commands: { run: (id: string) => void this.ran.push(id) },
    } as unknown as Workbench);

    shows(device: string, path: string): void {
      this.places.set(device, path);
      this.follow.followWhoLetIn();
      this.follow.apply();
    }
  }

  it("goes on when the file has another name", () => {
    const scene = new Scene();
    scene.shows("bo", "a.rs");
    scene.follow.start("bo");
    scene.tabs.renamed("a.rs", "b.rs");
    scene.shows("bo", "b.rs");
    expect([scene.people.followed, scene.tabs.openPaths]).toEqual(["bo", ["b.rs"]]);
    scene.tabs.open("c.rs");
    scene.follow.checkPath();
    expect(scene.people.followed).toBeNull();
  });

  it("is nobody who is not there, and this is said", async () => {
    const scene = new Scene();
    scene.follow.start("lin");
    await scene.follow.goTo("lin");
    expect([scene.people.followed, scene.said]).toEqual([null, ["lin is offline.", "lin is offline."]]);
  });

  it("begins with the first file that is shown to whoever came in", () => {
    const scene = new Scene();
    scene.tabs.open("README.md", { isPreview: true });
    scene.follow.afterJoin("Bo");
    scene.shows("bo", "a.rs");
    expect(scene.people.followed).toBe("bo");
  });

  it("does not begin once they are at work, or have opened a file", () => {
    vi.stubGlobal("Element", ToyNode);
    const typing = new Scene();
    typing.follow.afterJoin("Bo");
    typing.follow.handleInput({ target: new ToyNode("group") } as unknown as PointerEvent);
    const opening = new Scene();
    opening.follow.afterJoin("Bo");
    opening.tabs.open("b.rs", { isPreview: true });
    for (const scene of [typing, opening]) {
      scene.shows("bo", "a.rs");
      expect(scene.people.followed).toBeNull();
    }
  });
});
