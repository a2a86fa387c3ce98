import { describe, expect, it } from "vitest";
import * as messages from "./messages";
import { MESSAGES, type MessageId, detailsOf, mannerOf, wordingOf } from "./messages";
import { DOCUMENT } from "./messagesDocument";

const AT_MS = new Date(2026, 10, 21, 15, 4, 22).getTime();

/** What the examples of the document say in each place. */
const EXAMPLES: Record<string, string> = {
  time: "15:04:22", free: "480 MB", history: "212 MB", why: "permission denied", checked: "42 of 42", from: "3 Nov 14:02",
  size: "84 MB", theirs: "0.4", ours: "0.3", person: "Bo", host: "Asha", They: "She", typed: "clockwrk", word: "clockwork", tries: "2 tries",
  address: "192.168.1.31", until: "15:14", folder: "~/CodeSync/parser-lab", vpn: "tun0", wanted: "4870", port: "4871", workspace: "parser-lab", shown: "Bo (ThinkPad)", beside: "logo (Bo 14:55).psd",
  n: "12", since: "14:50", kept: "15:20",
};
const OWN: Record<string, Record<string, string>> = {
  "MSG-PEER-1": { until: "15:12" },
  "MSG-ROLE-5": { n: "12", since: "14:50", kept: "My changes 15:20" },
  "MSG-VER-1": { theirs: "0.1" },
  "MSG-VER-2": { ours: "0.1", theirs: "0.3" },
  "MSG-VER-3": { theirs: "0.3.1" },
};
const FILES: Record<string, string> = { "MSG-DISK-3": "main.rs", "MSG-FILE-1": "big.log", "MSG-FILE-2": "logo.psd", "MSG-FILE-3": "logo.psd", "MSG-FILE-5": "lexer.rs" };

/** Buttons of the document that lead to what is not built, or to other people; and what stands in for them. */
const NOT_YET: Record<string, { without: string[]; instead: string[] }> = {
  "MSG-DISK-2": { without: ["Compact history…"], instead: [] },
  // Said over the open workspace; Details is there at every message.
  "MSG-DISK-4": { without: ["Open", "Details"], instead: ["Show what was kept"] },
  "MSG-FILE-1": { without: ["Share as copy", "Don't share"], instead: ["Show in file manager"] },
  "MSG-FILE-2": { without: [], instead: ["Show in file manager"] },
  // As at MSG-DISK-4.
  "MSG-TL-3": { without: ["Details"], instead: [] },
  // A name stands in these.
  "MSG-VER-1": { without: ["Copy update note for Bo", "Details"], instead: ["Copy update note for {person}"] },
  "MSG-ROLE-5": { without: ["Ask Asha to take them"], instead: ["Ask {host} to take them"] },
  "MSG-PAIR-8": { without: ["Use “parser-lab-2”", "Choose…"], instead: ["Use “{other}”", "Choose…"] },
  "MSG-PEER-2": { without: ["Remove Bo"], instead: ["Remove {person}"] },
};

/** Rows of the document that the window has no words for, and why. */
const NOT_SAID: Record<string, string> = {
  "MSG-NET-3": "not built: for macOS, which was not tried",
  "MSG-NET-4": "not built: for Windows, which was not tried",
  "MSG-RELAY-1": "not built: there is no relay",
  "MSG-RELAY-2": "not built: there is no relay",
  "MSG-RELAY-3": "not built: there is no relay",
  "MSG-FILE-4": "not built: nobody is told of names that another system cannot have",
  "MSG-TL-2": "not built: no keystrokes are folded into moments",
  "MSG-RUN-1": "not built: nothing is run",
  "MSG-RUN-2": "not built: nothing is run",
  "MSG-MERGE-1": "worded elsewhere, in the document (§3.8) as in the window (features/merge/words.ts)",
};

const rows = DOCUMENT.trim().split("\n").map((line) => {
  const [, id = "", , place = "", words = ""] = line.split("|").map((cell) => cell.trim());
  const [text = "", buttons = ""] = words.split(/(?<=[.?]) · (?=\[)/);
  return { id: id as MessageId, place, text: text.replaceAll("**", "").replace(" · Ask", " Ask"), buttons: [...buttons.matchAll(/\[([^\]]+)\]/g)].map(([, label]) => label ?? "") };
});

describe("messages, word for word", () => {
  it("are all in the document and the other way round", () => {
    expect(rows.map((row) => row.id).sort()).toEqual([...Object.keys(MESSAGES), ...Object.keys(NOT_SAID)].sort());
  });

  it.each(rows.filter((row) => !(row.id in NOT_SAID)))("$id", ({ id, place, text, buttons }) => {
    const { head, body } = wordingOf(id, { ...EXAMPLES, file: FILES[id] ?? "", ...OWN[id] });
    expect(`${head} ${body}`.trim()).toBe(text);
    const { without = [], instead = [] } = NOT_YET[id] ?? {};
    for (const label of without) expect(buttons).toContain(label);
    expect(MESSAGES[id].buttons).toEqual([...buttons.filter((label) => !without.includes(label)), ...instead]);
    expect(MESSAGES[id].isUrgent).toBe(/ a\b/.test(place));
  });

  it("leaves out what is not known", () => {
    expect(messages.diskFull(AT_MS).body).toMatch(/^Everything up to 15:04:22 is safe\. Free some space/);
    expect(messages.diskFull(null).body).toMatch(/^Free some space/);
    expect(messages.fileTooLarge("big.log", 84_000_000).head).toContain("84 MB");
    expect(messages.fileTooLarge("long.csv", 3_000_000).head).toBe("long.csv has more than 300 000 lines — too large to edit together.");
    expect(messages.crashed(AT_MS)).toContain("up to 15:04:22");
    expect(messages.crashed(null)).toBe("CodeSync closed unexpectedly. All changes are here.");
    expect(messages.UNDO_OVERWRITTEN).toMatch(/^Nothing to undo here: /);
  });

  it("keep their sides apart, whatever a person is called", () => {
    const name = "Asha / Ops";
    expect([messages.askedToEdit(name), messages.wouldLikeToEdit(name)]).toEqual(["Asked Asha / Ops.", "Asha / Ops would like to edit."]);
    expect([messages.madeEditor(name), messages.followedLeft(name)]).toEqual(["Asha / Ops made you an editor.", "You were following Asha / Ops, who left."]);
  });

  it("have a note for whoever has the older version", () => {
    const { head, body } = wordingOf("MSG-VER-1", { person: "Bo", theirs: "0.1", ours: "0.3" });
    const { person, note } = messages.updateNote(`${head} ${body}`);
    expect(person).toBe("Bo");
    expect(note).toMatch(/^Your CodeSync 0\.1 is too old to edit with mine \(0\.3\)\. Get the newer CodeSync/);
  });

  it("stay or leave, by id", () => {
    expect(mannerOf("MSG-DISK-4")).toEqual({ isUrgent: true, stays: true });
    expect(mannerOf("MSG-DISK-2")).toEqual({ isUrgent: false, stays: false });
    expect(mannerOf("MSG-DISK-5")).toEqual({ isUrgent: false, stays: false });
    for (const id of ["MSG-PAIR-9", "MSG-FORK-1", "MSG-CLOCK-1", "MSG-ROLE-5"]) expect(mannerOf(id)).toEqual({ isUrgent: false, stays: true });
    expect(mannerOf("MSG-STORE-1")).toEqual({ isUrgent: false, stays: true });
  });

  it("have code, cause, version and time behind Details", () => {
    expect(detailsOf({ code: "io", cause: "os 28", version: "0.3.0", at_ms: 0 })).toBe("io · os 28 · CodeSync 0.3.0 · 1970-01-01T00:00:00.000Z");
    expect(detailsOf({ code: null, version: "", at_ms: 0 })).toBe("1970-01-01T00:00:00.000Z");
  });
});

const SOURCES = import.meta.glob<string>(["../**/*.ts", "../**/*.svelte", "!../**/*.test.ts", "!../api/generated.ts", "!./messagesDocument.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Sentences in the code: quoted texts and texts between tags that begin with a capital letter and have a space. */
function sentencesIn(source: string): string[] {
  const code = source.replace(/<style>[\s\S]*<\/style>/g, "").replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const quoted = [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(([, plain, template]) => plain ?? template ?? "");
  const between = [...code.matchAll(/>([^<>{}]+)</g)].map(([, text]) => (text ?? "").trim());
  return [...quoted, ...between].filter((text) => /^[“"‘]?[A-Z]/.test(text) && / /.test(text));
}

describe("what the window says", () => {
  it("is calm: no exclamation marks, no blame, no jargon", () => {
    const faults = Object.entries(SOURCES).flatMap(([path, source]) =>
      sentencesIn(source)
        .filter((text) => /\b(errors?|failed|failure|invalid|exception|undefined)\b/i.test(text) || /\w!(\s|$)/.test(text))
        .map((text) => `${path}: ${text}`),
    );
    expect(faults).toEqual([]);
    expect(Object.keys(SOURCES).length).toBeGreaterThan(50);
  });

  it("is noticed where it is not", () => {
    expect(sentencesIn('toast("Saving failed!"); <p>An error came up</p>')).toEqual(["Saving failed!", "An error came up"]);
  });
});
