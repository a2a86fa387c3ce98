import { describe, expect, it } from "vitest";
import type { LogRecord } from "../../api/generated";
import { canUndo, dayOf, deed, isShown, wholeSentence } from "./words";

const BARE: LogRecord = {
  id: "", session_id: "", user_id: "Bo", timestamp: "", kind: "edit", path: "src/lexer.rs", step: null, position: null, deleted: null, inserted: null,
  n_steps: 3, added: 0, removed: 0, n_files: 1, group_id: "g", detail: null,
};
const at = (...parts: [number, number, number, number?, number?]): number => new Date(parts[0], parts[1], parts[2], parts[3] ?? 12, parts[4] ?? 0).getTime();

describe("what was done", () => {
  it.each([
    [{ added: 12, removed: 3 }, "edited lexer.rs +12 −3"],
    [{ kind: "disk", n_files: 42, path: null }, "changed 42 files"],
    [{ kind: "disk", added: 4 }, "changed lexer.rs +4"],
    [{ kind: "restore" }, "restored lexer.rs"],
    [{ kind: "restore", n_files: 7, path: null }, "restored 7 files"],
    [{ kind: "moment", path: null, detail: "tests green" }, "named a moment “tests green”"],
    [{ kind: "restore", sentence: "Bo restored a.rs to 14:32:07." }, "restored a.rs to 14:32:07"],
    [{ kind: "rename", path: "src/b.rs", detail: "src/a.rs" }, "moved a.rs to src/b.rs"],
    [{ kind: "delete" }, "deleted lexer.rs"],
  ] as [Partial<LogRecord>, string][])("%j", (record, words) => {
    expect(deed({ ...BARE, ...record })).toBe(words);
  });

  it("can be taken back when it changed something", () => {
    expect(["edit", "restore", "disk"].every((kind) => canUndo({ ...BARE, kind }))).toBe(true);
    expect(["moment", "session", "access", "chat"].some((kind) => canUndo({ ...BARE, kind }))).toBe(false);
    expect(canUndo({ ...BARE, group_id: null })).toBe(false);
    expect(isShown({ ...BARE, kind: "chat" })).toBe(false);
    expect(isShown({ ...BARE, kind: "moment" })).toBe(false);
    expect(isShown({ ...BARE, kind: "moment", sentence: "Bo named “tests green”." })).toBe(true);
  });

  it("is said whole when it is about somebody else", () => {
    expect(wholeSentence({ ...BARE, user_id: "Asha", sentence: "Bo joined as editor." })).toBe("Bo joined as editor.");
    expect(wholeSentence({ ...BARE, sentence: "Bo left." })).toBeNull();
    expect(wholeSentence(BARE)).toBeNull();
  });

  it("names days as people do", () => {
    const now = at(2026, 10, 21, 9);
    expect([at(2026, 10, 21, 0), at(2026, 10, 20, 23), at(2026, 10, 18), at(2026, 10, 3), at(2025, 10, 3)].map((day) => dayOf(day, now))).toEqual(["Today", "Yesterday", "Wednesday", "3 Nov", "3 Nov 2025"]);
  });
});
