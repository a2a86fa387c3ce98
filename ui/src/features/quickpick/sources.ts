/** What the quick pick lists, by kind, for what was typed. */
import { untrack } from "svelte";
import { baseName, isUntitled, parentOf } from "../../base/paths";
import { fuzzyMatch } from "../../base/fuzzy";
import { allLanguages } from "../../editor/languages";
import { fileIcon } from "../../ui/fileIcon";
import type { Workbench } from "../../workbench/workbench";

export interface Pick {
  id: string;
  label: string;
  /** Greyed, behind the label. */
  detail?: string;
  keys?: string | null;
  icon?: string;
  /** Matched letters of the label. */
  positions: number[];
  /** "recently opened": a small heading above. */
  heading?: string;
  /** What is on now: the list opens there. */
  isCurrent?: boolean;
  run(): void;
  /** The row is only pointed at: to show it beforehand. */
  preview?(): void;
}

const SHOWN_MAX = 200;

export interface FileQuery {
  text: string;
  line: number | null;
  column: number | null;
}

/** "lexer:40:2" is a file and a place in it. */
export function parseFileQuery(typed: string): FileQuery {
  const found = /^(.*?)(?::(\d+)?(?::(\d+)?)?)?$/.exec(typed);
  const number = (part: string | undefined): number | null => (part === undefined ? null : Number(part));
  return { text: found?.[1] ?? typed, line: number(found?.[2]), column: number(found?.[3]) };
}

export function filePicks(workbench: Workbench, paths: readonly string[], typed: string, close: () => void): Pick[] {
  const { text, line, column } = parseFileQuery(typed);
  const place = line === null ? {} : { place: { line, ...(column === null ? {} : { column }) } };
  const toPick = (path: string, positions: number[]): Pick => ({
    id: path,
    label: baseName(path),
    detail: parentOf(path),
    icon: fileIcon(baseName(path)),
    positions,
    run: () => {
      close();
      workbench.editors.open(path, place);
    },
  });
  const known = new Set(paths);
  const recent = workbench.editors.recentPaths.filter((path) => known.has(path));
  if (text.trim() === "") {
    const [active, ...others] = recent;
    const order = others.concat(active === undefined ? [] : [active]);
    const rest = paths.filter((path) => !recent.includes(path)).slice(0, SHOWN_MAX);
    return [...order, ...rest].map((path, index) => ({
      ...toPick(path, []),
      ...(index === 0 && order.length > 0 ? { heading: "recently opened" } : index === order.length ? { heading: "all files" } : {}),
    }));
  }
  const bonus = new Map(recent.map((path, index) => [path, 6 - Math.min(5, index)]));
  const matches = paths.flatMap((path) => {
    const match = fuzzyMatch(text, path);
    return match === null ? [] : [{ path, positions: match.positions, score: match.score + (bonus.get(path) ?? 0) }];
  });
  matches.sort((a, b) => b.score - a.score || a.path.length - b.path.length);
  return matches.slice(0, SHOWN_MAX).map(({ path, positions }) => {
    const nameAt = path.length - baseName(path).length;
    return toPick(path, positions.filter((at) => at >= nameAt).map((at) => at - nameAt));
  });
}

export function commandPicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { commands } = workbench;
  const available = commands.all.filter((command) => command.isHidden !== true && commands.canRun(command.id));
  const rank = new Map(commands.recentIds.map((id, index) => [id, index]));
  const found = available.flatMap((command) => {
    const label = `${command.category}: ${command.title}`;
    const match = fuzzyMatch(typed, label);
    return match === null ? [] : [{ command, label, match }];
  });
  const place = (id: string): number => rank.get(id) ?? 1_000;
  found.sort((a, b) =>
    typed === ""
      ? place(a.command.id) - place(b.command.id) || a.label.localeCompare(b.label)
      : b.match.score - a.match.score || place(a.command.id) - place(b.command.id),
  );
  return found.map(({ command, label, match }) => ({
    id: command.id,
    label,
    keys: commands.shownKeysOf(command.id),
    positions: match.positions,
    run: () => {
      close();
      commands.run(command.id);
    },
  }));
}

export function languagePicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { editors } = workbench;
  if (editors.monaco === null) return [];
  return matching(typed, allLanguages(editors.monaco), (one) => one.title).map(({ item, positions }) => ({
    id: item.id,
    label: item.title,
    detail: item.id,
    positions,
    run: () => {
      close();
      editors.activeFile?.setLanguage(item.id);
    },
  }));
}

export function tabPicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { editors } = workbench;
  return matching(typed, editors.tabs.group.byUse, (tab) => baseName(tab.path)).map(({ item: tab, positions }) => ({
    id: String(tab.id),
    label: baseName(tab.path).replace(/^page:/, ""),
    detail: isUntitled(tab.path) ? "" : parentOf(tab.path),
    icon: fileIcon(baseName(tab.path)),
    positions,
    run: () => {
      close();
      editors.activate(tab);
    },
  }));
}

const THEMES = [
  ["system", "Follow the system"],
  ["dark", "Dark"],
  ["light", "Light"],
  ["hc-dark", "High contrast dark"],
  ["hc-light", "High contrast light"],
] as const;

export function themePicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const { session } = workbench;
  return matching(typed, THEMES, ([, title]) => title).map(({ item: [id, title], positions }) => ({
    id,
    label: title,
    positions,
    isCurrent: untrack(() => ({ ...session.userSettings, ...session.workspaceSettings }).theme) === id,
    preview: () => (session.previewed = { theme: id }),
    run: () => {
      close();
      session.previewed = {};
      session.changeSettings({ theme: id }).catch((cause: unknown) => workbench.commands.fail(cause));
    },
  }));
}

/** The one row of "go to line". */
export function linePicks(workbench: Workbench, typed: string, close: () => void): Pick[] {
  const model = workbench.editors.activeFile?.model;
  const large = workbench.editors.activePane.large;
  const n_lines = model?.getLineCount() ?? large?.state?.nLines ?? 0;
  const found = /^:?\s*(\d+)(?:[:,](\d+))?/.exec(typed);
  if (found === null) {
    const { line, column } = large?.caretPlace ?? workbench.editors.activePane.caret;
    return [{ id: "hint", label: `Type a line from 1 to ${n_lines}. Now at ${line}:${column}.`, positions: [], run: close }];
  }
  const line = Math.max(1, Math.min(n_lines, Number(found[1])));
  const column = found[2] === undefined ? 1 : Number(found[2]);
  const go = (): void => workbench.editors.activePane.goTo({ line, column });
  return [
    {
      id: "go",
      label: `Go to line ${line}${column === 1 ? "" : `, column ${column}`}`,
      positions: [],
      run: () => {
        close();
        go();
        workbench.editors.focusSoon();
      },
    },
  ];
}

export function matching<T>(typed: string, items: readonly T[], nameOf: (item: T) => string): { item: T; positions: number[] }[] {
  const found = items.flatMap((item) => {
    const match = fuzzyMatch(typed, nameOf(item));
    return match === null ? [] : [{ item, positions: match.positions, score: match.score }];
  });
  return typed === "" ? found : found.sort((a, b) => b.score - a.score);
}
