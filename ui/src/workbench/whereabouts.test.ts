import { describe, expect, it } from "vitest";
import type { Member, Place } from "../api/generated";
import { CommandRegistry } from "../commands/registry.svelte";
import type { People } from "../state/people.svelte";
import { memberMenu } from "./memberMenu";
import { placeInWords } from "./whereabouts";

const BO: Member = {
  device: "b", person: "Bo", deviceName: null, color: 1, role: "editor", isSelf: false, isConnected: true, address: null, roundTripUs: 2_600, nBehind: 0, lastSeenMs: null, leftMs: null, otherVersion: null,
};
const at = (part: Partial<Place>): string => {
  const place: Place = { path: "src/lexer.rs", selections: [], topLine: 20, line: 43, pastMs: null, isAway: false, isWritingMessage: false, ...part };
  return placeInWords({ placeOf: () => place } as unknown as People, BO, 0);
};

describe("where a person is", () => {
  it("is said with the line of the caret, not the first one on their screen", () => {
    expect(at({})).toBe("lexer.rs:43");
    expect(at({ isAway: true })).toBe("lexer.rs:43, away");
  });
  it("is said with the day of the past that is looked at", () => {
    const now_ms = new Date(2026, 10, 21, 9).getTime();
    const place = { path: "a.rs", line: 1, pastMs: new Date(2026, 10, 3, 14, 32, 7).getTime() };
    expect(placeInWords({ placeOf: () => place } as unknown as People, BO, now_ms)).toBe("a.rs:1, looking at 3 Nov 14:32:07");
  });
  it("is said as left, offline or last seen of one who is not there", () => {
    const now_ms = new Date(2026, 10, 21, 15, 0).getTime();
    const words = (part: Partial<Member>): string => placeInWords({} as People, { ...BO, isConnected: false, ...part }, now_ms);
    const [seenMs, leftMs] = [now_ms - 600_000, now_ms - 480_000];
    expect([words({}), words({ lastSeenMs: seenMs }), words({ lastSeenMs: leftMs, leftMs })]).toEqual(["offline", "last seen 14:50", "left 14:52"]);
  });
  it("is said without a line where there is no caret", () => {
    expect(at({ path: "logo.psd", line: 0 })).toBe("logo.psd");
    expect(at({ path: null, line: 0 })).toBe("no file");
  });
});

describe("the menu of a person", () => {
  it("asks that person alone to come", () => {
    const asked: unknown[] = [];
    const commands = new CommandRegistry();
    commands.registerAll([
      { id: "follow.bring", title: "Bring everyone here", category: "People", run: () => asked.push("everyone") },
      { id: "follow.bringOne", title: "Bring here", category: "People", run: (device) => asked.push(device) },
    ]);
    const entry = memberMenu({ commands, people: { isOwner: false } as People }, BO).find((one) => one.kind === "item" && one.label.startsWith("Bring"));
    if (entry?.kind === "item") entry.run();
    expect(asked).toEqual(["b"]);
  });
});
