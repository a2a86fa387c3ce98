import { describe, expect, it } from "vitest";
import { Notices } from "./notices.svelte";

function setUp(): { notices: Notices; wait: (ms: number) => void } {
  let now_ms = 0;
  let timers: { at: number; run: () => void }[] = [];
  const notices = new Notices(
    () => now_ms,
    (ms, run) => timers.push({ at: now_ms + ms, run }),
  );
  const wait = (ms: number): void => {
    const end = now_ms + ms;
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      now_ms = next.at;
      next.run();
    }
    now_ms = end;
  };
  return { notices, wait };
}

const texts = (notices: Notices): string[] => notices.onScreen.map((notice) => notice.text);

describe("notices", () => {
  it("shows three at most, the newest at the end", () => {
    const { notices } = setUp();
    for (const text of ["a", "b", "c", "d"]) notices.toast(text);
    expect(texts(notices)).toEqual(["b", "c", "d"]);
    expect(notices.list.length).toBe(4);
  });

  it("leaves after 6 s, with buttons after 12 s, not at all when it must be closed", () => {
    const { notices, wait } = setUp();
    notices.toast("plain");
    notices.toast("asks", { buttons: [{ label: "Undo", run: () => undefined }] });
    notices.toast("stays", { stays: true });
    wait(6_000);
    expect(texts(notices)).toEqual(["asks", "stays"]);
    wait(6_000);
    expect(texts(notices)).toEqual(["stays"]);
  });

  it("waits while the mouse is on it", () => {
    const { notices, wait } = setUp();
    notices.toast("plain");
    notices.isHeld = true;
    wait(20_000);
    expect(texts(notices)).toEqual(["plain"]);
    notices.isHeld = false;
    wait(1_000);
    expect(texts(notices)).toEqual([]);
  });

  it("counts a button once", () => {
    const { notices } = setUp();
    let n_pressed = 0;
    const button = { label: "Undo", run: () => (n_pressed += 1) };
    notices.toast("Deleted a.", { buttons: [button] });
    const [notice] = notices.onScreen;
    if (notice !== undefined) notices.press(notice, button);
    expect(n_pressed).toBe(1);
    expect(notices.list[0]?.buttons).toEqual([]);
    expect(texts(notices)).toEqual([]);
  });

  it("does nothing to the next workspace", () => {
    const { notices } = setUp();
    notices.toast("README.md was deleted.", { stays: true, buttons: [{ label: "Delete for everyone", run: () => undefined }] });
    notices.isHeld = true;
    notices.leaveWorkspace();
    expect(texts(notices)).toEqual([]);
    expect(notices.list).toMatchObject([{ text: "README.md was deleted.", buttons: [] }]);
    expect(notices.isHeld).toBe(false);
  });

  it("shows the same sentence once", () => {
    const { notices } = setUp();
    notices.toast("again");
    notices.toast("again");
    expect(texts(notices)).toEqual(["again"]);
  });

  it("keeps what could not be done on the screen, with its code and cause", () => {
    const { notices, wait } = setUp();
    notices.fail({ code: "io", message: "Could not be read.", detail: "os 5" });
    wait(60_000);
    const [shown] = notices.onScreen;
    expect(shown).toMatchObject({ text: "Could not be read.", code: "io", detail: "os 5", isUrgent: true });
  });
});
