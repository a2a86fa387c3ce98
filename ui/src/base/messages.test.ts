import { describe, expect, it } from "vitest";
import * as messages from "./messages";

const AT_MS = new Date(2026, 10, 21, 15, 4, 22).getTime();

describe("messages, word for word", () => {
  it("MSG-DISK-1", () => {
    const { head, body } = messages.diskFull(AT_MS);
    expect(`${head} ${body}`).toBe(
      "This disk is full, so new changes can't be kept. Everything up to 15:04:22 is safe. Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost.",
    );
    expect(messages.diskFull(null).body).not.toContain("Everything");
  });

  it("MSG-FILE-1, MSG-FILE-2", () => {
    const { head, body } = messages.fileTooLarge("big.log", 84_000_000, true);
    expect(`${head} ${body}`).toBe("big.log is 84 MB — too large to edit together. You can read it here; others get it as a plain copy when it changes.");
    expect(messages.fileTooLarge("big.log", 84e7, false).body).toBe("Others get it as a plain copy when it changes.");
    expect(messages.fileBinary("logo.psd")).toBe("logo.psd isn't text. It is synced whole, and its history has one moment per save.");
  });

  it("MSG-CLIP-1, MSG-CRASH-1, MSG-UNDO-1", () => {
    expect(messages.COPY_FAILED).toBe("Couldn't copy. Select the text and press Ctrl+C.");
    expect(messages.crashed(AT_MS)).toBe("CodeSync closed unexpectedly. All changes up to 15:04:22 are here.");
    expect(messages.crashed(null)).toBe("CodeSync closed unexpectedly. All changes are here.");
    expect(messages.UNDO_OVERWRITTEN).toMatch(/^Nothing to undo here: /);
  });
});
