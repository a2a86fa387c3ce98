/** Which workspace this window shows, whether all is kept, and the settings. Rebuilt from replies and events. */
import { type AppReplyValue, type Client, isApiError, sentenceOf } from "../api/client";
import type { ApiError, Event, RecentFolder, RefusedPath, SaveState, Settings, Started } from "../api/generated";
import { DEFAULT_SETTINGS } from "../api/settings";
import { Emitter } from "../base/emitter";

export type Phase = "starting" | "welcome" | "opening" | "workspace";

export interface OpenWorkspace {
  /** Absolute path of the folder. */
  root: string;
  name: string;
}

/** What a workspace can have otherwise. The rest belongs to the person or to the window. */
export const WORKSPACE_SETTINGS: readonly (keyof Settings)[] = [
  "theme", "editorFontFamily", "editorFontSize", "lineHeightPercent", "ligatures", "tabSize", "wordWrap", "minimap", "showWhitespace",
  "suggest", "timelineVisible", "axis", "autoSave",
];

const WORKSPACE_KEY = "settings";

/** Kinds of the settings that have no value unless somebody gives them one. */
const MAY_BE_NOTHING: Partial<Record<keyof Settings, string>> = { person: "string", color: "number" };

/** Of what somebody wrote, the settings that exist and have a value of the right kind. */
export function fittingSettings(written: unknown, keys: readonly (keyof Settings)[]): Partial<Settings> {
  if (!(written instanceof Object)) return {};
  const known = Object.entries(written).filter(([key, value]) => {
    const own = key as keyof Settings;
    if (!keys.includes(own)) return false;
    return typeof value === (MAY_BE_NOTHING[own] ?? typeof DEFAULT_SETTINGS[own]);
  });
  return Object.fromEntries(known);
}

const NOTHING_YET: SaveState = { kind: "saved", savedMs: null, nUnwritten: 0, message: null };

export class Session {
  phase = $state<Phase>("starting");
  started = $state.raw<Started | null>(null);
  /** The person's own, for every workspace. */
  userSettings = $state.raw<Settings>(DEFAULT_SETTINGS);
  /** What this workspace has otherwise. */
  workspaceSettings = $state.raw<Partial<Settings>>({});
  /** Shown before it is chosen: the theme that is pointed at. */
  previewed = $state.raw<Partial<Settings>>({});
  /** What counts now. */
  readonly settings = $derived<Settings>({ ...this.userSettings, ...this.workspaceSettings, ...this.previewed });
  workspace = $state.raw<OpenWorkspace | null>(null);
  save = $state.raw<SaveState>(NOTHING_YET);
  /** Paths of the files that the folder gets only when they are saved; of them alone there is a dot in the tab. */
  unsaved = $state.raw<ReadonlySet<string>>(new Set());
  /** What of the folder cannot be part of the workspace, as it was when this was opened. */
  refused = $state.raw<readonly RefusedPath[]>([]);
  recent = $state.raw<RecentFolder[]>([]);
  /** What stood in the way of showing a workspace; on the welcome page, or told by `onRefused`. */
  failure = $state.raw<ApiError | null>(null);
  /** Path of what was refused with it. */
  refusedPath = $state.raw<string | null>(null);
  /** What is here may be looked at only: the person's role in this workspace. */
  isViewer = $state(false);
  systemDark = $state(true);
  systemContrast = $state(false);
  #shellContrast = false;
  readonly #contrastQuery = globalThis.matchMedia?.("(prefers-contrast: more)");
  readonly #opened = new Emitter<OpenWorkspace>();
  readonly #closing = new Emitter<void>();
  readonly #refused = new Emitter<ApiError>();
  /** After a workspace was opened, before it is drawn. */
  readonly onOpened = this.#opened.on;
  /** Before the workspace goes away. */
  readonly onClosing = this.#closing.on;
  /** Another workspace could not be opened: the one before is open again. */
  readonly onRefused = this.#refused.on;

  /** Folders are opened and closed one after the other, however soon they are asked for. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly client: Client) {
    client.onEvent((event) => this.#handleEvent(event));
    client.onAppEvent((event) => {
      if (event.event === "systemThemeChanged") {
        this.systemDark = event.data.dark;
        this.#shellContrast = event.data.contrast;
        this.#followContrast();
      }
      // Another window changed them.
      if (event.event === "settingsChanged") this.userSettings = { ...DEFAULT_SETTINGS, ...event.data.settings };
      if (event.event === "workspaceClosed") this.#leave(event.data.error);
    });
  }

  #followContrast(): void {
    this.systemContrast = this.#shellContrast || this.#contrastQuery?.matches === true;
  }

  #handleEvent(event: Event): void {
    if (event.event === "saveState") this.save = event.data;
    if (event.event === "waitingForSave") this.unsaved = new Set(event.data.paths);
  }

  /** First thing a window does. Opens what it was started with; `onOpening` is called before, for that may take its time. */
  async start(onOpening: () => void): Promise<Started> {
    const started = await this.client.getApp("started", { cmd: "start" });
    this.started = started;
    this.userSettings = { ...DEFAULT_SETTINGS, ...started.settings };
    this.systemDark = started.systemDark;
    this.#shellContrast = started.systemContrast;
    this.#followContrast();
    // Where no portal says it, the toolkit's own theme may (Monaco looks only at forced colours).
    this.#contrastQuery?.addEventListener("change", () => this.#followContrast());
    if (started.open !== null) {
      onOpening();
      await this.open(started.open);
    }
    if (this.workspace === null) await this.showWelcome();
    return started;
  }

  async showWelcome(): Promise<void> {
    this.phase = "welcome";
    await this.loadRecent();
  }

  async loadRecent(): Promise<void> {
    try {
      this.recent = (await this.client.getApp("recent", { cmd: "listRecent" })).folders;
    } catch (cause) {
      // Without the list the page is still whole; the next opening writes it anew.
      console.warn("no list of recent folders", cause);
      this.recent = [];
    }
  }

  async forgetRecent(path: string): Promise<void> {
    await this.client.app({ cmd: "forgetRecent", args: { path } });
    await this.loadRecent();
  }

  /** Opens a folder as the workspace of this window. What stands in the way is in `failure`. */
  async open(path: string): Promise<boolean> {
    return this.#openOrSay(() => {
      this.refusedPath = path;
      return this.#openFolder(path);
    });
  }

  #openFolder(path: string): Promise<OpenWorkspace> {
    return this.client.getApp("opened", { cmd: "openWorkspace", args: { path } });
  }

  /** Ends a move that was prepared: the workspace is open at its new place, or at the old one again. */
  async finishMove(): Promise<AppReplyValue<"moved">> {
    let moved: AppReplyValue<"moved"> | null = null;
    const move = async (): Promise<OpenWorkspace> => {
      moved = await this.client.getApp("moved", { cmd: "finishMove" });
      return moved;
    };
    const isOpen = await this.#inTurn(() => this.#openBy(move));
    if (isOpen && moved !== null) return moved;
    throw this.failure;
  }

  openSample(): Promise<boolean> {
    return this.#openOrSay(() => this.client.getApp("opened", { cmd: "openSample" }));
  }

  /** Asks for a folder first. */
  async pickAndOpen(title: string): Promise<boolean> {
    const { path } = await this.client.getApp("path", { cmd: "pickFolder", args: { title } });
    return path === null ? false : this.open(path);
  }

  #openOrSay(ask: () => Promise<OpenWorkspace>): Promise<boolean> {
    return this.#inTurn(async () => {
      if (await this.#openBy(ask)) return true;
      if (this.workspace !== null && this.failure !== null) this.#refused.fire(this.failure);
      return false;
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** When it cannot be, the workspace before is open again, and why is in `failure`. */
  async #openBy(ask: () => Promise<OpenWorkspace>): Promise<boolean> {
    const { workspace: before, phase } = this;
    this.failure = null;
    if (before !== null) this.#closing.fire();
    // What is opened first has no page before it that could say so.
    if (phase !== "starting") this.phase = "opening";
    try {
      // What was typed last must be there before its workspace goes: the shell may answer this sooner.
      if (before !== null) await this.client.idle();
      const opened = await ask();
      this.workspace = { root: opened.root, name: opened.name };
      await Promise.all([this.#readStatus(), this.#readWorkspaceSettings()]);
      this.phase = "workspace";
      this.#opened.fire(this.workspace);
      return true;
    } catch (cause) {
      this.#forgetWorkspace();
      const isBack = before !== null && (await this.#openAgain(before.root));
      this.failure = asApiError(cause);
      if (isBack) return false;
      if (this.phase !== "starting") this.phase = "welcome";
      if (this.phase === "welcome") await this.loadRecent();
      return false;
    }
  }

  /** Behind the welcome page none is left open, or others would still find it here. */
  async #openAgain(root: string): Promise<boolean> {
    if (await this.#openBy(() => this.#openFolder(root))) return true;
    try {
      await this.client.app({ cmd: "closeWorkspace" });
    } catch (cause) {
      console.warn("the workspace before is not closed", cause);
    }
    return false;
  }

  async #readStatus(): Promise<void> {
    try {
      const { save, waitingForSave, refused } = await this.client.get("status", { cmd: "status" });
      this.save = save;
      this.refused = refused;
      this.unsaved = new Set(waitingForSave);
    } catch (cause) {
      // The next events tell.
      console.warn("no status", cause);
      this.save = NOTHING_YET;
      this.unsaved = new Set();
    }
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#closing.fire();
      await this.client.idle();
      await this.client.app({ cmd: "closeWorkspace" });
      this.#forgetWorkspace();
      this.failure = null;
      await this.showWelcome();
    });
  }

  #forgetWorkspace(): void {
    this.workspace = null;
    this.workspaceSettings = {};
    this.unsaved = new Set();
    this.refused = [];
  }

  #leave(error: ApiError): void {
    if (this.workspace !== null) this.#closing.fire();
    this.#forgetWorkspace();
    this.failure = error;
    void this.showWelcome();
  }

  /** Applied at once and kept: where the workspace has it otherwise, for the workspace, else for the person. */
  async changeSettings(change: Partial<Settings>): Promise<void> {
    const own = Object.entries(change).filter(([key]) => key in this.workspaceSettings);
    const others = Object.entries(change).filter(([key]) => !(key in this.workspaceSettings));
    if (own.length > 0) await this.putWorkspaceSettings({ ...this.workspaceSettings, ...Object.fromEntries(own) });
    if (others.length > 0) await this.putUserSettings({ ...this.userSettings, ...Object.fromEntries(others) });
  }

  /** Applied at once; kept by the shell. */
  async putUserSettings(wanted: Settings): Promise<void> {
    const { visibleTo, visibleUntilMs } = this.userSettings;
    // Another choice of who sees this computer ends the ten minutes for which everybody does.
    const isOther = wanted.visibleTo !== visibleTo && wanted.visibleUntilMs === visibleUntilMs;
    const settings = isOther ? { ...wanted, visibleUntilMs: 0 } : wanted;
    this.userSettings = settings;
    await this.client.app({ cmd: "putSettings", args: { settings } });
    await this.#tellEngine();
  }

  /** Applied at once; kept with the workspace. What is left out is as the person has it. */
  async putWorkspaceSettings(settings: Partial<Settings>): Promise<void> {
    this.workspaceSettings = settings;
    await this.client.ask({ cmd: "putState", args: { key: WORKSPACE_KEY, value: JSON.stringify(settings) } });
    await this.#tellEngine();
  }

  /** The engine reads for itself what it has to know of them. */
  async #tellEngine(): Promise<void> {
    if (this.workspace !== null) await this.client.ask({ cmd: "readSettings" });
  }

  async #readWorkspaceSettings(): Promise<void> {
    try {
      const { value } = await this.client.get("state", { cmd: "getState", args: { key: WORKSPACE_KEY } });
      this.workspaceSettings = value === null ? {} : fittingSettings(JSON.parse(value), WORKSPACE_SETTINGS);
    } catch (cause) {
      console.warn("no settings of the workspace", cause);
      // A workspace that opens with the person's own settings is better than one that does not open.
      this.workspaceSettings = {};
    }
  }

  /** Name of the theme to use now. */
  get theme(): "dark" | "light" | "hc-dark" | "hc-light" {
    const { theme } = this.settings;
    if (theme === "dark" || theme === "light" || theme === "hc-dark" || theme === "hc-light") return theme;
    if (this.systemContrast) return this.systemDark ? "hc-dark" : "hc-light";
    return this.systemDark ? "dark" : "light";
  }

  get isReadOnly(): boolean {
    const { kind } = this.save;
    return this.isViewer || kind === "diskFull" || kind === "folderGone" || kind === "failed";
  }
}

function asApiError(cause: unknown): ApiError {
  return isApiError(cause) ? cause : { code: "internal", message: sentenceOf(cause), detail: null };
}
