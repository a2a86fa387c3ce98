import { describe, expect, it } from "vitest";
import { parseFileQuery } from "./sources";

describe("go to file", () => {
  it.each([
    ["lexer", { text: "lexer", line: null, column: null }],
    ["lexer:40", { text: "lexer", line: 40, column: null }],
    ["lexer:40:2", { text: "lexer", line: 40, column: 2 }],
    ["lexer:", { text: "lexer", line: null, column: null }],
    ["", { text: "", line: null, column: null }],
  ])("reads %j", (typed, expected) => {
    expect(parseFileQuery(typed)).toEqual(expected);
  });
});
