import { describe, expect, it } from "vitest";
import { whyNotPath } from "./filePicks";

describe("save as", () => {
  it("takes paths in the workspace that are free", () => {
    for (const path of ["a.rs", "src/new name.rs", "a/b/c", ".env", "a..b"]) expect(whyNotPath(path, ["README.md"])).toBeNull();
  });

  it("refuses what is taken, outside or not a name", () => {
    expect(whyNotPath("README.md", ["README.md"])).toContain("README.md");
    for (const path of ["", "/etc/x", "../x", "a/../b", "a//b", "a/"]) expect(whyNotPath(path, [])).not.toBeNull();
  });
});
