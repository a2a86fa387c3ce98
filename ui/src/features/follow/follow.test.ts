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
