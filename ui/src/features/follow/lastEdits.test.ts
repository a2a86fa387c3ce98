import { describe, expect, it } from "vitest";
import type { ViewPatch } from "../../api/generated";
import { type LastEdit, LastEdits, inWords } from "./lastEdits";

function patch(device: string, splices: ViewPatch["splices"], source: ViewPatch["source"] = "peer"): ViewPatch {
  return { viewId: 1, revision: 1, splices, source, device, checksum: null };
}

describe("last edits of others", () => {
  it("sums up what one person types on", () => {
    const edits = new LastEdits();
    edits.hear(patch("bo", [[4, 0, "a"]]), 1_000);
    edits.hear(patch("bo", [[5, 2, "bc"]]), 2_000);
    expect(edits.last).toMatchObject({ device: "bo", added: 3, removed: 2, position: 7, at_ms: 2_000 });
    edits.hear(patch("bo", [[0, 0, "x"]]), 20_000);
    expect(edits.last).toMatchObject({ added: 1, removed: 0 });
    edits.hear(patch("lin", [[0, 0, "xy"]]), 20_100);
    expect(edits.last).toMatchObject({ device: "lin", added: 2 });
  });

  it("counts nobody's own undo and no disk", () => {
    const edits = new LastEdits();
    edits.hear(patch("bo", [[0, 0, "x"]], "disk"), 1);
    expect(edits.last).toBeNull();
  });

  it("is said in one sentence", () => {
    const edit: LastEdit = { viewId: 1, device: "bo", position: 9, added: 12, removed: 1, at_ms: 10_000 };
    expect(inWords(edit, "Bo", "line 43", 15_000)).toBe("Bo, line 43, added 12 characters and removed 1 character, 5 seconds ago");
    expect(inWords({ ...edit, removed: 0 }, "Bo", "line 43", 11_000)).toBe("Bo, line 43, added 12 characters, just now");
  });
});
