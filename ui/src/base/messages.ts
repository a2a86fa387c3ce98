/**
 * The table of messages (`UX.md` §5) that can come up: the words and the buttons, read by the
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
    buttons: ["Show what takes space", "Move the workspace…"],
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
    buttons: ["Open in its app", "Show in file manager"],
    stays: true,
  }),
  "MSG-FILE-3": message({ head: "", body: "Both you and {person} changed {file}. Yours stays; {person}'s is beside it as “{beside}”.", buttons: ["Compare"] }),
  "MSG-FILE-5": message({ head: "", body: "{person} deleted {file} while you were editing it, so it stays.", buttons: ["Keep", "Delete for everyone"], stays: true }),
  "MSG-VER-1": message({
    head: "{person}'s CodeSync is too old to edit with yours",
    body: "({person} {theirs} · you {ours}). You can both go on working; changes will merge after {person} updates.",
    buttons: ["Copy update note for {person}"],
    stays: true,
  }),
  "MSG-VER-2": message({
    head: "Your CodeSync is too old to edit with {host}'s",
    body: "(you {ours} · {host} {theirs}). Your work is safe here and will merge after you update.",
    buttons: ["How to update"],
    stays: true,
  }),
  "MSG-VER-3": message({ head: "", body: "{person} uses {theirs}; playing back your history may show fewer details there." }),
  "MSG-VER-4": message({
    head: "This workspace was last opened by CodeSync {theirs}.",
    body: "Version {ours} could misread its history, so it stays untouched.",
    buttons: ["How to update", "Open a copy of the files only"],
    stays: true,
  }),
  "MSG-PAIR-1": message({ head: "", body: "“{typed}” isn't one of our words. Did you mean {word}?", buttons: ["Use it"] }),
  "MSG-PAIR-2": message({
    head: "That code didn't match.",
    body: "Either a word is wrong, or the code was used or has run out. Nothing was shared. {tries} left.",
    buttons: ["Try again", "Ask for a new code"],
    isUrgent: true,
  }),
  "MSG-PAIR-2b": message({ head: "", body: "Someone at {address} tried your code with a wrong word. The code still works.", buttons: ["New code"] }),
  "MSG-PAIR-2c": message({ head: "This code is switched off", body: "after three wrong tries.", buttons: ["New code"], isUrgent: true }),
  "MSG-PAIR-3": message({ head: "", body: "This code ran out at {until}. Ask for a new one." }),
  "MSG-PAIR-4": message({ head: "", body: "{host} hasn't answered. {They} may be away.", buttons: ["Ask again", "Use a code"] }),
  "MSG-PAIR-5": message({ head: "", body: "{host} can't let you in right now." }),
  "MSG-PAIR-6": message({
    head: "The words are different, so this may not be {host}'s computer.",
    body: "We stopped. Nothing was shared.",
    buttons: ["Close", "Use a code instead"],
    isUrgent: true,
  }),
  "MSG-PAIR-7": message({
    head: "This is not the computer you know as “{person}”.",
    body: "It has a new identity: a reinstall, a new laptop, or someone else.",
    buttons: ["Don't let in", "Pair again with words"],
    isUrgent: true,
  }),
  "MSG-PAIR-8": message({ head: "", body: "{folder} already has files.", buttons: ["Use “{other}”", "Choose…"] }),
  "MSG-NET-1": message({
    head: "Nobody found yet.",
    body: "Both computers need the same network, and guest or office Wi-Fi may hide them from each other. A code works even then if one can reach the other.",
    buttons: ["Join with a code", "Why?"],
  }),
  "MSG-NET-2": message({ head: "", body: "A VPN is on ({vpn}). It can hide nearby computers.", buttons: ["Check again"] }),
  "MSG-NET-5": message({
    head: "",
    body: "Port {wanted} is taken, so CodeSync uses {port}. People nearby still find you; typed addresses need “:{port}”.",
  }),
  "MSG-NET-6": message({ head: "", body: "Offline. Everything is saved here and will sync later." }),
  "MSG-NET-7": message({ head: "", body: "Back online." }),
  "MSG-ROLE-1": message({ head: "", body: "You're a viewer here.", buttons: ["Ask to edit"] }),
  "MSG-ROLE-2": message({ head: "", body: "Asked {host}. / {person} would like to edit.", buttons: ["Make editor", "Not now"] }),
  "MSG-ROLE-3": message({ head: "", body: "{host} made you an editor. / You're now a viewer. Changes you made before stay." }),
  "MSG-ROLE-4": message({ head: "", body: "Viewers can look at the past but not restore. Ask {host} to become an editor." }),
  "MSG-ROLE-5": message({
    head: "{n} of your changes weren't accepted, because you became a viewer at {since}.",
    body: "They are kept in your copy as “{kept}”.",
    buttons: ["See them", "Ask {host} to take them"],
    stays: true,
  }),
  "MSG-PEER-1": message({
    head: "{host} removed you from “{workspace}”.",
    body: "You keep the copy you have, up to {until}; it no longer syncs.",
    buttons: ["Keep working on my copy", "Close"],
    isUrgent: true,
    stays: true,
  }),
  "MSG-PEER-2": message({
    head: "Remove {person} from “{workspace}”?",
    body: "{person} stops getting changes now, and {person}'s later changes won't come here. {person} keeps the copy already received — that can't be taken back.",
    buttons: ["Cancel", "Remove {person}"],
  }),
  "MSG-PEER-3": message({ head: "", body: "{person} left. / You were following {person}, who left." }),
  "MSG-PEER-4": message({ head: "", body: "There are two people called {person}. This one appears as “{shown}”." }),
  "MSG-TL-1": message({ head: "", body: "This is the first moment we have of this file." }),
  "MSG-TL-3": message({
    head: "The restore didn't give exactly the text you saw, so we took it back.",
    body: "Nothing changed.",
    buttons: ["Copy the old text"],
    isUrgent: true,
    stays: true,
  }),
  "MSG-TL-4": message({ head: "", body: "This is the past.", buttons: ["Back to now", "Restore this"] }),
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
  const { head, body } = MESSAGES[id];
  return { head: filled(head, values), body: filled(body, values) };
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

/** How a newer version comes onto this computer: what to do, and the command of Debian. */
export const HOW_TO_UPDATE = {
  before: "Get the newer CodeSync from where you got this one, and install it over this version. On Debian:",
  command: "sudo apt install ./codesync_*_amd64.deb",
  after: "Files and history stay as they are.",
};

/** For whoever has the older version, from whoever has the newer. `said` is MSG-VER-1. */
export function updateNote(said: string): { person: string; note: string } {
  const [, person = "", theirs = "", ours = ""] = /^(.*)'s CodeSync .* ([^ ]+) · you ([^ ]+)\)\. /s.exec(said) ?? [];
  const { before, command, after } = HOW_TO_UPDATE;
  return { person, note: `Your CodeSync ${theirs} is too old to edit with mine (${ours}). ${before} ${command}. ${after}` };
}

/** How a message that the engine words itself is shown; one that is not in the table is a polite toast. */
export function mannerOf(id: string): { isUrgent: boolean; stays: boolean } {
  const known: Record<string, Message> = MESSAGES;
  const { isUrgent = false, stays = STAYING.has(id) } = known[id] ?? {};
  return { isUrgent, stays };
}

/** Of the engine's own: what somebody has to know before going on. */
const STAYING: ReadonlySet<string> = new Set(["MSG-DISK-6", "MSG-STORE-1", "MSG-STORE-2", "MSG-PAIR-9", "MSG-PEER-6", "MSG-FORK-1", "MSG-CLOCK-1"]);

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

/** These have two sides: what the one who asked or was changed reads, and the other; of somebody who left, what all read, and their followers. A name may have a " / ", too. */
function sideOf(id: "MSG-ROLE-2" | "MSG-ROLE-3" | "MSG-PEER-3", side: 0 | 1, values: Readonly<Record<string, string>>): string {
  return filled(MESSAGES[id].body.split(" / ")[side] ?? "", values);
}

/** MSG-ROLE-2 at whoever asked. */
export const askedToEdit = (host: string): string => sideOf("MSG-ROLE-2", 0, { host });
/** In place of it where no owner could be reached. */
export function ownersAway(names: readonly string[]): string {
  const who = names.length === 0 ? "No owner is here" : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} offline`;
  return `${who}. Ask again when they are here.`;
}
/** MSG-ROLE-2 at the owner. */
export const wouldLikeToEdit = (person: string): string => sideOf("MSG-ROLE-2", 1, { person });
/** MSG-ROLE-3, up; without a name where it is not known who did it. */
export const madeEditor = (host: string | null): string => (host === null ? "You're now an editor." : sideOf("MSG-ROLE-3", 0, { host }));
/** MSG-ROLE-3, down. */
export const NOW_VIEWER = sideOf("MSG-ROLE-3", 1, {});

/** MSG-ROLE-4, with the owners' names. */
export const viewersLook = (owners: readonly string[]): string => wordingOf("MSG-ROLE-4", { host: owners.length === 0 ? "an owner" : owners.join(" or ") }).body;

/** MSG-PEER-3 */
export const hasLeft = (person: string): string => sideOf("MSG-PEER-3", 0, { person });
/** MSG-PEER-3, for whoever followed them. */
export const followedLeft = (person: string): string => sideOf("MSG-PEER-3", 1, { person });

/** MSG-VER-3 */
export const usesOther = (person: string, theirs: string): string => wordingOf("MSG-VER-3", { person, theirs }).body;

/** MSG-PEER-1, as far as is known who and until when. */
export function removedFrom(workspace: string, host: string | null, until: string | null): Wording {
  const { head, body } = wordingOf("MSG-PEER-1", { workspace, host: host ?? "", until: until ?? "" });
  return { head: host === null ? `You were removed from “${workspace}”.` : head, body: until === null ? body.replace(", up to ;", ";") : body };
}

/** MSG-UNDO-1, where the engine does not say who it was. */
export const UNDO_OVERWRITTEN = "Nothing to undo here: that text was changed since.";

/** A file whose lines end in more than one way, as long as nobody changes it. */
export function mixedLineEnds(name: string, lineEnd: "LF" | "CRLF"): string {
  return `${name} has mixed line ends. It stays as it is until you change it; then all of them become ${lineEnd}.`;
}
