import { describe, expect, it } from "vitest";
import type { LinkState, Member, SaveState } from "../api/generated";
import { announcementOf, lastingState, syncPillOf } from "./syncPill";

const SAVED: SaveState = { kind: "saved", savedMs: 0, nUnwritten: 0, message: null };
const BO: Member = {
  device: "b", person: "Bo", deviceName: null, color: 1, role: "editor", isSelf: false, isConnected: true, address: null, roundTripUs: 2_600, nBehind: 0, lastSeenMs: null, leftMs: null, otherVersion: null,
};
const pill = (link: LinkState, here: Member[] = [BO], save: SaveState = SAVED, n_unsaved = 0, n_others = here.length) =>
  syncPillOf({ save, n_unsaved, link, here, n_others });

describe("the pill", () => {
  it("says in one word how the others are", () => {
    expect(pill({ kind: "alone" }).text).toBe("Saved here");
    expect(pill({ kind: "live", nOthers: 1 }).text).toBe("Live · direct 3 ms");
    expect(pill({ kind: "live", nOthers: 2 }, [BO, BO]).text).toBe("Live · 3");
    expect(pill({ kind: "catchingUp", nLeft: 1_240, nAll: 3_264 })).toMatchObject({ text: "Catching up 62 %", title: expect.stringContaining("Still on their way: 1 240 changes of 3 264.") });
    expect(pill({ kind: "offline" }, []).text).toBe("Offline");
    expect(pill({ kind: "paused" }).text).toBe("Paused");
    expect(pill({ kind: "left" })).toMatchObject({ text: "Left", title: expect.stringMatching(/^You left this workspace\. Your copy stays\. /) });
    expect(pill({ kind: "needsYou", id: "MSG-VER-2", sentence: "Update." })).toMatchObject({ text: "Needs you", kind: "trouble", title: "Update." });
  });

  it("says to how many it is connected where it is not to all", () => {
    expect(pill({ kind: "live", nOthers: 1 }).title).toMatch(/^Connected to all\. /);
    expect(pill({ kind: "live", nOthers: 1 }, [BO], SAVED, 0, 2).title).toMatch(/^Connected to 1 of 2\. /);
  });

  it("has a shape of its own for each, so that colour is not needed", () => {
    const links: LinkState[] = [{ kind: "live", nOthers: 1 }, { kind: "catchingUp", nLeft: 1, nAll: 2 }, { kind: "offline" }, { kind: "paused" }, { kind: "left" }, { kind: "needsYou", id: "", sentence: "" }];
    expect(new Set(links.map((link) => pill(link).shape)).size).toBe(links.length);
  });

  it("says first what stands in the way of saving, and always what is not in the folder", () => {
    const full: SaveState = { ...SAVED, kind: "diskFull", message: "Full." };
    expect(pill({ kind: "live", nOthers: 1 }, [BO], full)).toMatchObject({ text: "Needs you", state: "diskFull" });
    expect(pill({ kind: "offline" }, [], SAVED, 2).text).toBe("Offline · 2 files not in the folder");
  });

  it("is read out when its class changes, not with every change", () => {
    const live = pill({ kind: "live", nOthers: 1 });
    const offline = pill({ kind: "offline" }, []);
    expect(announcementOf("live", offline)).toBe("Offline. Everything is saved here and will sync later.");
    expect(announcementOf("offline", live)).toBe("Back online.");
    expect(announcementOf("saved", live)).toBe("Connected.");
    expect(announcementOf("live", live)).toBe(null);
    expect(announcementOf("live", pill({ kind: "left" }))).toMatch(/^You left/);
    expect(announcementOf("saved", pill({ kind: "alone" }, [], { ...SAVED, kind: "saving" }))).toBe(null);
  });

  it("says that it is back online after being offline, not after every catching up", () => {
    const live = pill({ kind: "live", nOthers: 1 });
    const behind = pill({ kind: "catchingUp", nLeft: 1, nAll: 2 });
    const saidAfter = (before: string): (string | null)[] => [announcementOf(before, behind), announcementOf(lastingState(before, behind), live)];
    expect(saidAfter("live")).toEqual([null, null]);
    expect(saidAfter("offline")).toEqual([null, "Back online."]);
  });
});
