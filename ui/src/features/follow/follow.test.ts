import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Workbench } from "../../workbench/workbench";
import { Follow } from "./follow.svelte";

class ToyNode {}

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
afterEach(() => vi.unstubAllGlobals());

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

describe("asking to come", () => {
  const sent: unknown[] = [];
  const said: string[] = [];
  const workbench = {
    people: { nameOf: (device: string) => device, member: (device: string) => ({ isConnected: device === "Bo" }) },
    editors: { activePath: "src/lexer.rs", activePane: { caret: { line: 43 } } },
    client: { ask: async (request: unknown) => void sent.push(request) },
    layout: { say: (text: string) => void said.push(text) },
    notices: { toast: (text: string) => void said.push(text) },
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
    expect(sent.length).toBe(n_sent);
  });

  it("is told as it was meant", () => {
    follow.asked("Bo", { kind: "bring", path: "src/lexer.rs", line: 43, to: null });
    expect(said.at(-1)).toBe("Bo asks everyone to come to lexer.rs:43.");
    follow.asked("Bo", { kind: "bring", path: "src/lexer.rs", line: 43, to: "me" });
    expect(said.at(-1)).toBe("Bo asks you to come to lexer.rs:43.");
  });
});
