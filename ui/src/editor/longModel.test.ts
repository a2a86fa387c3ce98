import { expect, it } from "vitest";
import { LONG_UNITS, sourceOf, spare } from "./longModel";
import type { TextModel } from "./monaco";

/** As much of Monaco's buffer as is looked at. */
interface Made {
  create(endOfLine: number): { textBuffer: { getLineCount(): number; createSnapshot(keepsMark: boolean): { read(): string | null } } };
}

function textOf(source: string): { text: string; n_lines: number } {
  const { textBuffer } = (source as unknown as Made).create(1);
  const snapshot = textBuffer.createSnapshot(false);
  const parts: string[] = [];
  for (let part = snapshot.read(); part !== null; part = snapshot.read()) parts.push(part);
  return { text: parts.join(""), n_lines: textBuffer.getLineCount() };
}

it("hands a short text on as it is", async () => {
  expect(await sourceOf("ä\n😀")).toBe("ä\n😀");
});

it("reads a long text in parts, whatever stands where they meet", async () => {
  const filler = "0123456789 abcdefg\n".repeat(60_000);
  // A pair, and a combining sign, across the ends of parts of 1,000,000 units.
  const text = `${filler.slice(0, 999_999)}😀${filler.slice(0, 999_997)}éé${filler}the end`;
  expect(text.length).toBeGreaterThan(LONG_UNITS);
  const made = textOf(await sourceOf(text));
  expect(made.text === text).toBe(true);
  expect(made.n_lines).toBe(text.split("\n").length);
});

it("leaves out what goes over all of a text by its length", () => {
  const limitsOf = (n_units: number): [boolean, boolean] => {
    const model = { getValueLength: () => n_units, isTooLargeForSyncing: () => false, isTooLargeForTokenization: () => false };
    spare(model as unknown as TextModel);
    return [model.isTooLargeForSyncing(), model.isTooLargeForTokenization()];
  };
  expect(limitsOf(10_000)).toEqual([false, false]);
  expect(limitsOf(3_000_000)).toEqual([true, false]);
  expect(limitsOf(12_000_000)).toEqual([true, true]);
});
