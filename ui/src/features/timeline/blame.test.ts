/** Who changed which line last. */
import { describe, expect, it } from "vitest";
import type { Author, BlameSpan } from "../../api/generated";
import { authorRuns, fits, lineChanges } from "./blame";

const ASHA: Author = { id: "a", name: "Asha", initials: "AS", color: 0 };
const DISK: Author = { id: "d", name: "Disk", initials: "Disk", color: null };

/** Stretches of a text, each as long as it is written, with the moment it came. */
function spans(...parts: [string, Author, number][]): { text: string; spans: BlameSpan[] } {
  let position = 0;
  const made = parts.map(([part, author, index]): BlameSpan => {
    const span = { position, length: part.length, author, atMs: index * 1_000, deltaId: "", index };
    position += part.length;
    return span;
  });
  return { text: parts.map(([part]) => part).join(""), spans: made };
}

function indices({ text, spans }: { text: string; spans: BlameSpan[] }): number[] {
  return lineChanges(text, spans).map((line) => line.index);
}

describe("who changed a line", () => {
  it("is who made the newest change in it", () => {
    expect(indices(spans(["one\ntw", DISK, 0], ["o", ASHA, 7], ["!\nthree", DISK, 3]))).toEqual([0, 7, 3]);
  });

  it("counts the line feed to the line that it ends", () => {
    expect(indices(spans(["one", DISK, 0], ["\n", ASHA, 4], ["two\n", DISK, 0]))).toEqual([4, 0, 0]);
  });

  it("knows one line for one without an end, and none for an empty text", () => {
    expect(indices(spans(["one", ASHA, 2]))).toEqual([2]);
    expect(lineChanges("", [])).toEqual([]);
  });

  it("sees a change that covers many lines in each of them", () => {
    expect(indices(spans(["a\nb\nc", ASHA, 5], ["d\n", DISK, 6]))).toEqual([5, 5, 6, 6]);
  });
});

describe("runs", () => {
  it("join neighbouring lines of one author", () => {
    const { text, spans: made } = spans(["one\ntwo\n", DISK, 0], ["three\n", ASHA, 4], ["four", DISK, 0]);
    const runs = authorRuns(lineChanges(text, made)).map(({ first, last, author }) => [first, last, author.name]);
    expect(runs).toEqual([[1, 2, "Disk"], [3, 3, "Asha"], [4, 4, "Disk"]]);
  });
});

it("an answer for another length of text does not fit", () => {
  const { spans: made } = spans(["one", DISK, 0], ["two", ASHA, 4]);
  expect([5, 6].map((length) => fits(length, made))).toEqual([false, true]);
  expect(fits(0, [])).toBe(true);
});
