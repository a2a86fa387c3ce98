/** What a hand-written settings text may and may not do. */
import { describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../api/settings";
import { WORKSPACE_SETTINGS, fittingSettings } from "../../state/session.svelte";
import { SETTING_ITEMS } from "./items";
import { differing, leftOut, parsed } from "./json";

describe("settings as JSON", () => {
  it("shows only what differs", () => {
    expect(differing({ ...DEFAULT_SETTINGS, tabSize: 2 }, DEFAULT_SETTINGS)).toEqual({ tabSize: 2 });
    expect(differing({ ...DEFAULT_SETTINGS, keys: {} }, DEFAULT_SETTINGS)).toEqual({});
  });

  it("takes only known names with a value of the right kind", () => {
    const written = parsed('{ "tabSize": 2, "theme": 7, "colour": "red", "person": "Bo" }') ?? {};
    const all = Object.keys(DEFAULT_SETTINGS) as (keyof typeof DEFAULT_SETTINGS)[];
    expect(fittingSettings(written, all)).toEqual({ tabSize: 2, person: "Bo" });
    expect(leftOut(written, fittingSettings(written, all))).toEqual(["theme", "colour"]);
    expect(fittingSettings(written, WORKSPACE_SETTINGS)).toEqual({ tabSize: 2 });
  });

  it("is no object while it is half typed, or a list", () => {
    expect(parsed('{ "tabSize": ')).toBeNull();
    expect(parsed("[1]")).toBeNull();
    expect(parsed("")).toEqual({});
  });
});

describe("the settings page", () => {
  it("has an item for every setting but the keys and what the window notes for itself", () => {
    const shown = new Set<string>(SETTING_ITEMS.map((item) => item.key));
    const missing = Object.keys(DEFAULT_SETTINGS).filter((key) => !shown.has(key));
    expect(missing.toSorted()).toEqual(["keys", "timelineHintSeen", "visibleUntilMs"]);
  });
});
