import { describe, expect, it } from "vitest";
import { FOR_A_WHILE, chosenVisibility, visibilityOf, visibleFor_ms } from "./visibility";

describe("who sees this computer", () => {
  it("is everybody for ten minutes, then as before", () => {
    const chosen = chosenVisibility(FOR_A_WHILE, { visibleTo: "nobody", visibleUntilMs: 0 }, 1_000);
    expect(chosen).toEqual({ visibleTo: "nobody", visibleUntilMs: 601_000 });
    expect([visibilityOf(chosen, 2_000), visibleFor_ms(chosen, 2_000)]).toEqual([FOR_A_WHILE, 599_000]);
    expect([visibilityOf(chosen, 601_000), visibleFor_ms(chosen, 601_000)]).toEqual(["nobody", 0]);
    expect(visibilityOf(chosen, 500)).toBe("nobody");
  });

  it("is no longer everybody after them, where it was before", () => {
    expect(chosenVisibility(FOR_A_WHILE, { visibleTo: "everyone", visibleUntilMs: 0 }, 0).visibleTo).toBe("known");
    expect(chosenVisibility("panel", { visibleTo: "nobody", visibleUntilMs: 9 }, 0)).toEqual({ visibleTo: "panel", visibleUntilMs: 0 });
  });
});
