/** What the quick pick lists for acts on the active file, and the folders opened before. */
import { sentenceOf } from "../../api/client";
import type { LineEnd } from "../../api/generated";
import { baseName, parentOf } from "../../base/paths";
import { ago, encodingInWords } from "../../base/words";
import type { CommandChild } from "../../commands/registry.svelte";
import type { Workbench } from "../../workbench/workbench";
import { type Pick, matching } from "./sources";

const RECENT_MAX = 10;

/** Why a file cannot be made at this path, as a sentence; null when it can. The engine has the last word. */
export function whyNotPath(path: string, taken: readonly string[]): string | null {
  if (path === "") return "Type a path in this workspace.";
  if (path.startsWith("/") || path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return "The path has to lie in this workspace.";
  }
  return taken.includes(path) ? `“${path}” is there already.` : null;
}

/** What stands in the box of "save as" at first. */
export function nameToSave({ editors }: Workbench): string {
  return editors.activePath ?? baseName(editors.untitledPath ?? "");
}

/** The one row of "save as". */
export function saveAsPicks(workbench: Workbench, taken: readonly string[], typed: string, close: () => void): Pick[] {
  const { editors } = workbench;
  const untitled = editors.untitledPath;
  const from = untitled ?? editors.activePath;
  const to = typed.trim();
  const refusal = whyNotPath(to, taken);
  if (from === null || refusal !== null) return [{ id: "refused", label: refusal ?? "Open a file first.", icon: "info", positions: [], run: () => undefined }];
  const save = async (): Promise<void> => {
    try {
      if (untitled !== null) await editors.giveName(untitled, to);
      else await workbench.client.ask({ cmd: "duplicate", args: { path: from, to } });
      await workbench.files.load(parentOf(to));
      if (untitled === null) editors.open(to);
      workbench.layout.say(`Saved as ${baseName(to)}`);
    } catch (cause) {
      workbench.notices.toast(sentenceOf(cause), { stays: true, isUrgent: true });
    }
  };
  return [
    {
      id: "save",
      label: untitled === null ? `Save as ${to}` : `Save in this workspace as ${to}`,
      icon: "save-as",
      positions: [],
      run: () => {
        close();
        void save();
      },
    },
  ];
}

const ENCODINGS = [
  ["UTF-8", false, "every character; the usual choice"],
  ["UTF-8", true, "every character, after a byte-order mark; for some Windows programs"],
  ["UTF-16LE", true, "every character; for some Windows programs"],
  ["windows-1252", false, "Western European letters only"],
] as const;

export function encodingPicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { editors, client, layout } = workbench;
  const file = editors.activeFile;
  const set = async (encoding: string, byteOrderMark: boolean): Promise<void> => {
    if (file?.path == null) return;
    await client.ask({ cmd: "setEncoding", args: { path: file.path, encoding, byteOrderMark } });
    file.encoding = encoding;
    file.byteOrderMark = byteOrderMark;
    layout.say(`Saved as ${encodingInWords(encoding, byteOrderMark)}`);
  };
  const now = file === null ? "" : encodingInWords(file.encoding, file.byteOrderMark).toLowerCase();
  return matching(typed, ENCODINGS, ([encoding, mark]) => encodingInWords(encoding, mark)).map(({ item: [encoding, mark, detail], positions }) => {
    const name = encodingInWords(encoding, mark);
    return choice(workbench, { name, detail, positions, isNow: now === name.toLowerCase() }, close, () => set(encoding, mark));
  });
}

const LINE_ENDS: readonly (readonly [LineEnd, string, string])[] = [
  ["lf", "LF", "Linux, macOS and most projects"],
  ["crLf", "CRLF", "Windows"],
];

export function lineEndPicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { editors, client, layout } = workbench;
  const file = editors.activeFile;
  const set = async (lineEnd: LineEnd, name: string): Promise<void> => {
    if (file?.path == null) return;
    await client.ask({ cmd: "setLineEnd", args: { path: file.path, lineEnd } });
    file.lineEnd = lineEnd;
    layout.say(`Lines end with ${name} on disk`);
  };
  return matching(typed, LINE_ENDS, ([, name]) => name).map(({ item: [id, name, detail], positions }) =>
    choice(workbench, { name, detail, positions, isNow: file?.lineEnd === id }, close, () => set(id, name)),
  );
}

interface Choice {
  name: string;
  detail: string;
  positions: number[];
  isNow: boolean;
}

function choice({ editors, notices }: Workbench, { name, detail, positions, isNow }: Choice, close: () => void, set: () => Promise<void>): Pick {
  return {
    id: name,
    label: name,
    detail,
    positions,
    ...(isNow ? { heading: "now" } : {}),
    run: () => {
      close();
      editors.focusSoon();
      if (!isNow) set().catch((cause: unknown) => notices.toast(sentenceOf(cause), { stays: true, isUrgent: true }));
    },
  };
}

export function recentPicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { session } = workbench;
  const now_ms = Date.now();
  return matching(typed, session.recent.slice(0, RECENT_MAX), (folder) => folder.name).map(({ item: folder, positions }) => ({
    id: folder.path,
    label: folder.name,
    detail: folder.missing ? `${folder.path} — missing` : folder.path,
    icon: "folder",
    heading: ago(folder.openedMs, now_ms),
    positions,
    run: () => {
      if (folder.missing) return;
      close();
      if (folder.path !== session.workspace?.root) void session.open(folder.path);
    },
  }));
}

/** The same list as a menu. */
export function recentChildren({ session }: Workbench): CommandChild[] {
  const others = session.recent.filter((folder) => folder.path !== session.workspace?.root);
  return others.slice(0, RECENT_MAX).map((folder) => ({
    id: `recent-${folder.path}`,
    label: folder.missing ? `${folder.name} (missing)` : `${folder.name}  —  ${folder.path}`,
    isEnabled: !folder.missing,
    run: () => void session.open(folder.path),
  }));
}
