import { describe, expect, it } from "vitest";
import { type RemotePerson, hasRoomForFlag, offScreenPlaces, patternOf, wouldHideText } from "./remotePlaces";

const person = (name: string): RemotePerson => ({ device: name, name, initials: name.slice(0, 2), color: 0, pattern: 0 });

describe("remote places", () => {
  it("keeps names off the line that is typed in, and off the lines beside it", () => {
    expect([7, 8, 9, 10, 11, 12, 13].filter((line) => hasRoomForFlag(line, [10]))).toEqual([7, 8, 12, 13]);
    expect(hasRoomForFlag(5, [10, 4])).toBe(false);
    expect(hasRoomForFlag(5, [])).toBe(true);
  });

  it("knows where initials would lie over the text", () => {
    expect([1, 4, 5, 8, 9, 20].map((column) => wouldHideText("    rest", column))).toEqual([false, true, true, true, false, false]);
  });

  it("says who is above and below, the nearest first", () => {
    const at = (name: string, line: number): { person: RemotePerson; line: number } => ({ person: person(name), line });
    const { above, below } = offScreenPlaces([at("a", 3), at("b", 9), at("c", 20), at("d", 60), at("e", 40)], 10, 30);
    expect(above.map(({ line }) => line)).toEqual([9, 3]);
    expect(below.map(({ line }) => line)).toEqual([40, 60]);
  });

  it("gives a pattern to whoever shares a colour with one before", () => {
    const colours = [0, 1, 2, 0, 8, 1];
    expect(colours.map((_, index) => patternOf(colours, index))).toEqual([0, 0, 0, 1, 2, 1]);
  });
});
