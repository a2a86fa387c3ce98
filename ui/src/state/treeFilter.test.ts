import { describe, expect, it } from "vitest";
import { filterTree } from "./treeFilter";

const PATHS = ["src/lexer.rs", "src/parse/parser.rs", "README.md", "tests/lexer_test.rs"];
const shown = (typed: string, collapsed: string[] = []): string[] =>
  filterTree(PATHS, typed, new Set(collapsed)).map((row) => "  ".repeat(row.depth) + row.entry.name);

describe("tree filter", () => {
  it("shows what matches with the folders above it", () => {
    expect(shown("lexer")).toEqual(["src", "  lexer.rs", "tests", "  lexer_test.rs"]);
    expect(shown("PARSER")).toEqual(["src", "  parse", "    parser.rs"]);
    expect(shown("nothing")).toEqual([]);
  });

  it("keeps closed what was closed", () => {
    expect(shown("lexer", ["src"])).toEqual(["src", "tests", "  lexer_test.rs"]);
  });
});
