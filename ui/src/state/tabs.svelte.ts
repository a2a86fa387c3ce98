/** Which files are open where: groups side by side, tabs in them. Knows paths only; no editor, no screen. */
import { isUntitled, moved } from "../base/paths";

export interface Tab {
  readonly id: number;
  /** Workspace path, "page:<id>", or that of a text without a name. */
  path: string;
  /** In italics: the next preview takes its place. */
  isPreview: boolean;
  /** The file was deleted while the tab was open. */
  isGone: boolean;
}

export interface SavedTabs {
  groups: { tabs: { path: string; isPreview: boolean }[]; active: number }[];
  activeGroup: number;
}

const CLOSED_MAX = 50;

let lastId = 0;
function nextId(): number {
  lastId += 1;
  return lastId;
}

export class Group {
  readonly id = nextId();
  tabs = $state<Tab[]>([]);
  activeId = $state<number | null>(null);
  /** Most recently shown first. */
  recentIds: number[] = [];
  /** Share of the width. */
  weight = $state(1);

  get active(): Tab | null {
    return this.tabs.find((tab) => tab.id === this.activeId) ?? null;
  }

  /** Tabs in the order of their last use. */
  get byUse(): Tab[] {
    const used = this.recentIds.map((id) => this.tabs.find((tab) => tab.id === id)).filter((tab) => tab !== undefined);
    return [...used, ...this.tabs.filter((tab) => !used.includes(tab))];
  }
}

export class Tabs {
  groups = $state<Group[]>([new Group()]);
  activeIndex = $state(0);
  /** Newest last. */
  closed: { path: string; group: number; index: number }[] = [];

  get group(): Group {
    return this.groups[this.activeIndex] ?? this.groups[0] ?? new Group();
  }

  get active(): Tab | null {
    return this.group.active;
  }

  /** Shows a file in a group: its tab there, the preview tab, or a new tab right of the active one. */
  open(path: string, options: { isPreview?: boolean; group?: number } = {}): Tab {
    const index = Math.min(options.group ?? this.activeIndex, this.groups.length - 1);
    this.activeIndex = index;
    const group = this.group;
    const isPreview = options.isPreview ?? false;
    const existing = group.tabs.find((tab) => tab.path === path);
    if (existing !== undefined) {
      if (!isPreview) existing.isPreview = false;
      this.activate(existing.id);
      return existing;
    }
    const tab: Tab = { id: nextId(), path, isPreview, isGone: false };
    const preview = group.tabs.findIndex((one) => one.isPreview);
    if (isPreview && preview >= 0) group.tabs.splice(preview, 1, tab);
    else group.tabs.splice(group.tabs.findIndex((one) => one.id === group.activeId) + 1, 0, tab);
    this.activate(tab.id);
    // The array keeps a reactive copy, not `tab` itself.
    return group.tabs.find((one) => one.id === tab.id) ?? tab;
  }

  activate(id: number): void {
    const index = this.groups.findIndex((group) => group.tabs.some((tab) => tab.id === id));
    const group = this.groups[index];
    if (group === undefined) return;
    this.activeIndex = index;
    group.activeId = id;
    group.recentIds = [id, ...group.recentIds.filter((one) => one !== id)];
  }

  keep(id: number): void {
    for (const group of this.groups) for (const tab of group.tabs) if (tab.id === id) tab.isPreview = false;
  }

  close(id: number): void {
    const index = this.groups.findIndex((group) => group.tabs.some((tab) => tab.id === id));
    const group = this.groups[index];
    if (group === undefined) return;
    const at = group.tabs.findIndex((tab) => tab.id === id);
    const tab = group.tabs[at];
    if (tab === undefined) return;
    if (!tab.isGone && !isUntitled(tab.path)) this.closed = [...this.closed, { path: tab.path, group: index, index: at }].slice(-CLOSED_MAX);
    group.tabs.splice(at, 1);
    group.recentIds = group.recentIds.filter((one) => one !== id);
    if (group.activeId === id) {
      const next = group.recentIds[0] ?? group.tabs[Math.min(at, group.tabs.length - 1)]?.id ?? null;
      group.activeId = next;
      if (next !== null) group.recentIds = [next, ...group.recentIds.filter((one) => one !== next)];
    }
    if (group.tabs.length === 0 && this.groups.length > 1) this.#removeGroup(index);
  }

  #removeGroup(index: number): void {
    this.groups.splice(index, 1);
    if (this.activeIndex >= index) this.activeIndex = Math.max(0, this.activeIndex - 1);
  }

  /** The path that was closed last, gone from the list. */
  takeClosed(): { path: string; group: number; index: number } | null {
    const last = this.closed.at(-1) ?? null;
    this.closed = this.closed.slice(0, -1);
    return last;
  }

  /** A new group right of the active one, showing the same file. */
  split(): void {
    const path = this.active?.path ?? null;
    this.groups.splice(this.activeIndex + 1, 0, new Group());
    this.activeIndex += 1;
    if (path !== null) this.open(path);
  }

  /** Goes to a group; the one behind the last is made by splitting. */
  focusGroup(index: number): void {
    if (index < this.groups.length) this.activeIndex = index;
    else if (index === this.groups.length && this.active !== null) {
      this.activeIndex = this.groups.length - 1;
      this.split();
    }
  }

  /** Puts a tab before place `to` of a group. */
  move(id: number, groupIndex: number, to: number): void {
    const from = this.groups.find((group) => group.tabs.some((tab) => tab.id === id));
    const target = this.groups[groupIndex];
    const tab = from?.tabs.find((one) => one.id === id);
    if (from === undefined || target === undefined || tab === undefined) return;
    const at = from.tabs.indexOf(tab);
    if (from === target) {
      const place = to > at ? to - 1 : to;
      from.tabs.splice(at, 1);
      from.tabs.splice(place, 0, { ...tab, isPreview: false });
      this.activate(id);
      return;
    }
    const path = tab.path;
    this.close(id);
    this.closed = this.closed.slice(0, -1);
    const targetIndex = this.groups.indexOf(target);
    const opened = this.open(path, { group: targetIndex });
    this.move(opened.id, targetIndex, to);
  }

  /** A file or folder has another path now. */
  renamed(from: string, to: string): void {
    for (const group of this.groups) for (const tab of group.tabs) tab.path = moved(tab.path, from, to);
    this.closed = this.closed.map((one) => ({ ...one, path: moved(one.path, from, to) }));
  }

  setGone(path: string, isGone: boolean): void {
    for (const group of this.groups) for (const tab of group.tabs) if (tab.path === path) tab.isGone = isGone;
  }

  get all(): Tab[] {
    return this.groups.flatMap((group) => group.tabs);
  }

  get openPaths(): string[] {
    return this.all.map((tab) => tab.path);
  }

  save(): SavedTabs {
    return {
      groups: this.groups.map((group) => ({
        tabs: group.tabs.filter((tab) => !tab.isGone).map((tab) => ({ path: tab.path, isPreview: tab.isPreview })),
        active: group.tabs.filter((tab) => !tab.isGone).findIndex((tab) => tab.id === group.activeId),
      })),
      activeGroup: this.activeIndex,
    };
  }

  /** What is not there any more is left out. */
  restore(saved: SavedTabs, isThere: (path: string) => boolean = () => true): void {
    const groups = saved.groups.map((one) => {
      const group = new Group();
      group.tabs = one.tabs.map((tab) => ({ id: nextId(), path: tab.path, isPreview: tab.isPreview, isGone: false }));
      const active = group.tabs[one.active];
      group.tabs = group.tabs.filter((tab) => isThere(tab.path));
      group.activeId = group.tabs.find((tab) => tab.id === active?.id)?.id ?? group.tabs[0]?.id ?? null;
      if (group.activeId !== null) group.recentIds = [group.activeId];
      return group;
    });
    const filled = groups.filter((group, index) => group.tabs.length > 0 || (index === 0 && groups.length === 1));
    this.groups = filled.length === 0 ? [new Group()] : filled;
    this.activeIndex = Math.max(0, Math.min(saved.activeGroup, this.groups.length - 1));
    this.closed = [];
  }
}
