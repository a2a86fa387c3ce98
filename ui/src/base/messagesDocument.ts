/** Rows of the table in `UX.md` §5, as they stand there; the tests compare what the window says with them. Not part of the window. */
export const DOCUMENT = `
| MSG-VER-4 | workspace written by a newer version | D p | **This workspace was last opened by CodeSync 0.4.** Version 0.3 could misread its history, so it stays untouched. · [How to update] [Open a copy of the files only] |
| MSG-DISK-1 | **disk full**, edit store cannot write | B a, stays | **This disk is full, so new changes can't be kept.** Everything up to 15:04:22 is safe. Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost. · [Show what takes space] [Move the workspace…] |
| MSG-DISK-2 | < 500 MB left | T p | Only 480 MB left on this disk. History uses 212 MB. · [Compact history…] |
| MSG-DISK-3 | file can't be written (rights) | I/T a | main.rs is kept in CodeSync but could not be written to the folder: permission denied. · [Try again] [Show in folder] |
| MSG-DISK-4 | store damaged at start | D a | **Part of this workspace's history can't be read.** Your files are fine (checked 42 of 42). History from 3 Nov 14:02 on is available. A copy of the damaged part is kept. · [Open] [Details] |
| MSG-FILE-1 | **file too large** to share live (> 20 MB or > 300 000 lines) | B p | **big.log is 84 MB — too large to edit together.** You can read it here; others get it as a plain copy when it changes. · [Share as copy] [Don't share] |
| MSG-FILE-2 | **binary** | B p | logo.psd isn't text. It is synced whole, and its history has one moment per save. · [Open in its app] |
| MSG-UNDO-1 | undo target overwritten | status 2 s p | Nothing to undo here: Bo changed that text since. |
| MSG-CLIP-1 | copy failed | T a | Couldn't copy. Select the text and press Ctrl+C. |
| MSG-CRASH-1 | after a crash | T p | CodeSync closed unexpectedly. All changes up to 15:04:22 are here. · [Send nothing] [Copy report] |
`;
