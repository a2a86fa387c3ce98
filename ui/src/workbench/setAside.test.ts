import { describe, expect, it } from "vitest";
import type { Notice } from "../api/generated";
import type { Workbench } from "./workbench";
import { setAsideButtons } from "./setAside";

const PATH = ".codesync/set-aside/My changes 2026-11-22 15.20.31";
const AS_VIEWER: Notice = { id: "MSG-ROLE-5", title: "12 of your changes weren’t accepted, because you became a viewer at 14:50.", body: "", path: PATH, becameViewer: true };

function pressed(notice: Notice, owners: string[]): { labels: string[]; ran: unknown[][] } {
  const ran: unknown[][] = [];
  const around = { commands: { run: (...what: unknown[]) => ran.push(what) }, people: { ownerNames: owners } };
  const buttons = setAsideButtons(around as unknown as Workbench, notice);
  buttons.forEach((button) => button.run());
  return { labels: buttons.map((button) => button.label), ran };
}

describe("own changes that do not count", () => {
  it("can be looked at, and the owner can be asked to let one edit again", () => {
    expect(pressed(AS_VIEWER, ["Asha"])).toEqual({
      labels: ["See them", "Ask Asha to take them"],
      ran: [["file.revealInFileManager", PATH], ["people.askToEdit"]],
    });
    expect(pressed(AS_VIEWER, ["Asha", "Bo"]).labels).toEqual(["See them", "Ask the owners to take them"]);
  });

  it("offer only what can be done", () => {
    expect(pressed({ ...AS_VIEWER, path: null }, ["Asha"]).labels).toEqual(["Ask Asha to take them"]);
    // However it is worded.
    expect(pressed({ ...AS_VIEWER, becameViewer: false }, ["Asha"]).labels).toEqual(["See them"]);
  });
});
