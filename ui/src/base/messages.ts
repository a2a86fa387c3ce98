/**
 * The table of messages (`UX.md` §5) that can come up while a person works alone: the words and the buttons, read by the
 * window and compared with the document by the tests. Shows nothing itself.
 */
import { bytes, clock } from "./words";

/** Part in bold, and the rest. */
export interface Wording {
  head: string;
  body: string;
}

interface Message<B extends readonly string[] = readonly string[]> extends Wording {
  buttons: B;
  /** Read out at once instead of politely. */
  isUrgent: boolean;
  /** On the screen until it is closed. */
  stays: boolean;
}

type Words<B extends readonly string[]> = Partial<Message> & Wording & { buttons?: B };

function message<const B extends readonly string[] = readonly []>({ head, body, buttons, isUrgent = false, stays = false }: Words<B>): Message<B> {
  return { head, body, buttons: (buttons ?? []) as readonly string[] as B, isUrgent, stays };
}

/** `{name}` stands for what differs from time to time. */
export const MESSAGES = {
  "MSG-DISK-1": message({
    head: "This disk is full, so new changes can't be kept.",
    body: "Everything up to {time} is safe. Free some space; we'll go on by ourselves. Until then the editor is read-only so that nothing is lost.",
    buttons: ["Show what takes space"],
    isUrgent: true,
    stays: true,
  }),
  "MSG-DISK-2": message({ head: "", body: "Only {free} left on this disk. History uses {history}." }),
  "MSG-DISK-3": message({
    head: "",
    body: "{file} is kept in CodeSync but could not be written to the folder: {why}.",
    buttons: ["Try again", "Show in folder"],
    isUrgent: true,
    stays: true,
  }),
  "MSG-DISK-4": message({
    head: "Part of this workspace's history can't be read.",
    body: "Your files are fine (checked {checked}). History from {from} on is available. A copy of the damaged part is kept.",
    buttons: ["Show what was kept"],
    isUrgent: true,
    stays: true,
  }),
  "MSG-FILE-1": message({
    head: "{file} is {size} — too large to edit together.",
    body: "You can read it here; others get it as a plain copy when it changes.",
    buttons: ["Show in file manager"],
    stays: true,
  }),
  "MSG-FILE-2": message({
    head: "",
    body: "{file} isn't text. It is synced whole, and its history has one moment per save.",
    buttons: ["Show in file manager"],
    stays: true,
  }),
  "MSG-VER-4": message({
    head: "This workspace was last opened by CodeSync {theirs}.",
    body: "Version {ours} could misread its history, so it stays untouched.",
    stays: true,
  }),
  "MSG-UNDO-1": message({ head: "", body: "Nothing to undo here: {person} changed that text since." }),
  "MSG-CLIP-1": message({ head: "", body: "Couldn't copy. Select the text and press Ctrl+C.", isUrgent: true }),
  "MSG-CRASH-1": message({
    head: "",
    body: "CodeSync closed unexpectedly. All changes up to {time} are here.",
    buttons: ["Send nothing", "Copy report"],
  }),
} satisfies Record<string, Message>;

/** A text of more bytes is too large to edit (`TEXT_FILE_BYTES_MAX` in crates/base). */
const TEXT_BYTES_MAX = 20 * 1024 * 1024;

export type MessageId = keyof typeof MESSAGES;

/** The words of a message with its places filled. */
export function wordingOf(id: MessageId, values: Readonly<Record<string, string>> = {}): Wording {
  const filled = (text: string): string => text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
  const { head, body } = MESSAGES[id];
  return { head: filled(head), body: filled(body) };
}

/** How a message that the engine words itself is shown; one that is not in the table is a polite toast. */
export function mannerOf(id: string): { isUrgent: boolean; stays: boolean } {
  const known: Record<string, Message> = MESSAGES;
  const { isUrgent = false, stays = STAYING.has(id) } = known[id] ?? {};
  return { isUrgent, stays };
}

/** Of the engine's own: what somebody has to know before going on. */
const STAYING: ReadonlySet<string> = new Set(["MSG-DISK-6", "MSG-STORE-1", "MSG-STORE-2"]);

export interface Circumstances {
  /** Id of the message or code of the refusal. */
  code: string | null;
  /** Technical cause. */
  cause?: string | null;
  version: string;
  at_ms: number;
}

/** What stands behind "Details": code, cause, version, time. */
export function detailsOf({ code, cause, version, at_ms }: Circumstances): string {
  const parts = [code, cause, version === "" ? null : `CodeSync ${version}`, new Date(at_ms).toISOString()];
  return parts.filter((part) => part != null && part !== "").join(" · ");
}

/** MSG-DISK-1 */
export function diskFull(saved_ms: number | null): Wording {
  const { head, body } = wordingOf("MSG-DISK-1", saved_ms === null ? {} : { time: clock(saved_ms) });
  return { head, body: saved_ms === null ? body.replace(/^.*? is safe\. /, "") : body };
}

/** MSG-FILE-1, by lines where it is not the bytes that are too many. */
export function fileTooLarge(name: string, size_bytes: number): Wording {
  if (size_bytes > TEXT_BYTES_MAX) return wordingOf("MSG-FILE-1", { file: name, size: bytes(size_bytes) });
  const { head, body } = wordingOf("MSG-FILE-1", { file: name, size: "more than 300 000 lines" });
  return { head: head.replace(`${name} is `, `${name} has `), body };
}

/** MSG-FILE-2 */
export function fileBinary(name: string): string {
  return wordingOf("MSG-FILE-2", { file: name }).body;
}

/** MSG-CLIP-1 */
export const COPY_FAILED = MESSAGES["MSG-CLIP-1"].body;

/** MSG-CRASH-1 */
export function crashed(saved_ms: number | null): string {
  if (saved_ms === null) return wordingOf("MSG-CRASH-1").body.replace(" up to {time}", "");
  return wordingOf("MSG-CRASH-1", { time: clock(saved_ms) }).body;
}

/** MSG-UNDO-1, where the engine does not say who it was. */
export const UNDO_OVERWRITTEN = "Nothing to undo here: that text was changed since.";

/** A file whose lines end in more than one way, as long as nobody changes it. */
export function mixedLineEnds(name: string, lineEnd: "LF" | "CRLF"): string {
  return `${name} has mixed line ends. It stays as it is until you change it; then all of them become ${lineEnd}.`;
}
