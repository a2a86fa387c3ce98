/** How the chat and the list of what was done say days, times and acts. Pure. */
import type { LogRecord } from "../../api/generated";
import { baseName } from "../../base/paths";
import { date, nDaysAgo, plural } from "../../base/words";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** "Today", "Yesterday", "Monday", "3 Nov", "3 Nov 2025" */
export function dayOf(at_ms: number, now_ms: number = Date.now()): string {
  const n_days = nDaysAgo(at_ms, now_ms);
  if (n_days <= 0) return "Today";
  if (n_days === 1) return "Yesterday";
  return n_days < 7 ? (WEEKDAYS[new Date(at_ms).getDay()] ?? "") : date(at_ms, now_ms);
}

function changed(record: LogRecord): string {
  const parts = [];
  if ((record.added ?? 0) > 0) parts.push(`+${record.added}`);
  if ((record.removed ?? 0) > 0) parts.push(`−${record.removed}`);
  return parts.join(" ");
}

/** What was done, to be read after the name of who did it: "edited lexer.rs +12 −3". */
export function deed(record: LogRecord): string {
  // The engine's own words, where it has some, begin with the name.
  const { sentence, user_id } = record;
  if (sentence?.startsWith(`${user_id} `)) return sentence.slice(user_id.length + 1).replace(/\.$/, "");
  const n_files = record.n_files ?? 0;
  const named = record.path ?? record.detail;
  const what = n_files > 1 || named === null ? plural(n_files, "file") : baseName(named);
  switch (record.kind) {
    case "edit":
      return `edited ${what} ${changed(record)}`.trim();
    case "disk":
      return `changed ${what} ${n_files > 1 ? "" : changed(record)}`.trim();
    case "import":
      return `brought in ${what}`;
    case "create":
      return `made ${what}`;
    case "rename":
      return record.path !== null && record.detail !== null && record.path !== record.detail ? `moved ${baseName(record.detail)} to ${record.path}` : `renamed ${what}`;
    case "delete":
      return `deleted ${what}`;
    case "undelete":
      return `brought back ${what}`;
    case "restore":
      return `restored ${what}`;
    case "replace":
      return `replaced text in ${what}`;
    case "undo":
      return `took back a change in ${what}`;
    case "redo":
      return `did a change again in ${what}`;
    case "moment":
      return `named a moment “${record.detail ?? ""}”`;
    case "session":
      return "opened the workspace";
    case "properties":
      return `changed how ${what} is written`;
    default:
      return `changed ${what}`;
  }
}

/** Acts that can be taken back one by one. */
export function canUndo(record: LogRecord): boolean {
  return record.group_id !== null && ["edit", "disk", "import", "create", "rename", "delete", "undelete", "restore", "replace", "undo", "redo", "content"].includes(record.kind);
}

/** Acts that changed a text or the tree: there is a moment to look at. */
export function canSee(record: LogRecord): boolean {
  return canUndo(record) || record.kind === "moment";
}

/** A message is read in the chat; that somebody opened the workspace is no work. */
export function isShown(record: LogRecord): boolean {
  if (record.sentence !== undefined) return true;
  return record.kind !== "chat" && record.kind !== "session" && record.kind !== "moment" && (record.n_steps ?? 0) > 0;
}

/** The sentence when it is about somebody else than who wrote it down: "Bo joined as editor." */
export function wholeSentence({ sentence, user_id }: LogRecord): string | null {
  return sentence === undefined || sentence.startsWith(`${user_id} `) ? null : sentence;
}
