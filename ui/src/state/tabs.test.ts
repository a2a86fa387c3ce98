import { describe, expect, it } from "vitest";
import { Tabs } from "./tabs.svelte";

function paths(tabs: Tabs, group = 0): string[] {
  return (tabs.groups[group]?.tabs ?? []).map((tab) => (tab.isPreview ? `(${tab.path})` : tab.path));
}

describe("tabs", () => {
  it("lets the next preview take the place of the last", () => {
    const tabs = new Tabs();
    tabs.open("a");
    tabs.open("b", { isPreview: true });
    tabs.open("c", { isPreview: true });
    expect(paths(tabs)).toEqual(["a", "(c)"]);
    tabs.keep(tabs.active?.id ?? 0);
    tabs.open("d", { isPreview: true });
    expect(paths(tabs)).toEqual(["a", "c", "(d)"]);
  });

  it("goes back to the tab used before when one is closed", () => {
    const tabs = new Tabs();
    const a = tabs.open("a");
    tabs.open("b");
    tabs.open("c");
    tabs.activate(a.id);
    const d = tabs.open("d");
    tabs.close(d.id);
    expect(tabs.active?.path).toBe("a");
  });

  it("reopens what was closed, newest first", () => {
    const tabs = new Tabs();
    const a = tabs.open("a");
    const b = tabs.open("b");
    tabs.close(a.id);
    tabs.close(b.id);
    expect(tabs.takeClosed()?.path).toBe("b");
    expect(tabs.takeClosed()?.path).toBe("a");
    expect(tabs.takeClosed()).toBeNull();
  });

  it("splits, and takes an emptied pane away", () => {
    const tabs = new Tabs();
    tabs.open("a");
    tabs.split();
    expect([paths(tabs, 0), paths(tabs, 1)]).toEqual([["a"], ["a"]]);
    expect(tabs.activeIndex).toBe(1);
    tabs.close(tabs.active?.id ?? 0);
    expect(tabs.groups.length).toBe(1);
    expect(tabs.activeIndex).toBe(0);
  });

  it("goes to a pane by number, and makes the next one", () => {
    const tabs = new Tabs();
    tabs.open("a");
    tabs.focusGroup(1);
    expect(tabs.groups.length).toBe(2);
    tabs.focusGroup(5);
    expect(tabs.groups.length).toBe(2);
  });

  it("reorders, and moves between panes", () => {
    const tabs = new Tabs();
    const a = tabs.open("a");
    tabs.open("b");
    tabs.open("c");
    tabs.move(a.id, 0, 3);
    expect(paths(tabs)).toEqual(["b", "c", "a"]);
    tabs.split();
    const b = tabs.groups[0]?.tabs[0];
    tabs.move(b?.id ?? 0, 1, 0);
    expect([paths(tabs, 0), paths(tabs, 1)]).toEqual([["c", "a"], ["b", "a"]]);
    expect(tabs.takeClosed()).toBeNull();
  });

  it("follows a renamed folder", () => {
    const tabs = new Tabs();
    tabs.open("src/a.rs");
    tabs.open("src2/b.rs");
    tabs.renamed("src", "lib");
    expect(paths(tabs)).toEqual(["lib/a.rs", "src2/b.rs"]);
  });

  it("is the same after it was kept and read again, without what is gone", () => {
    const tabs = new Tabs();
    tabs.open("a");
    tabs.open("gone");
    tabs.open("b", { isPreview: true });
    tabs.setGone("gone", true);
    tabs.split();
    const again = new Tabs();
    again.restore(JSON.parse(JSON.stringify(tabs.save())) as ReturnType<Tabs["save"]>);
    expect([paths(again, 0), paths(again, 1)]).toEqual([["a", "(b)"], ["b"]]);
    expect(again.activeIndex).toBe(1);
    expect(again.active?.path).toBe("b");
  });

  it("shows what was shown before, whatever else is not there any more", () => {
    const tabs = new Tabs();
    for (const path of ["lost", "a", "b"]) tabs.open(path);
    tabs.activate(tabs.all.find((tab) => tab.path === "a")?.id ?? 0);
    const again = new Tabs();
    again.restore(tabs.save(), (path) => path !== "lost");
    expect([paths(again), again.active?.path]).toEqual([["a", "b"], "a"]);
  });

  it("starts with one empty pane when nothing was kept", () => {
    const tabs = new Tabs();
    tabs.restore({ groups: [], activeGroup: 3 });
    expect(tabs.groups.length).toBe(1);
    expect(tabs.active).toBeNull();
  });
});
