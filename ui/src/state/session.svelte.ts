/** Which workspace this window shows, whether all is kept, and the settings. Rebuilt from replies and events. */
import { type Client, isApiError, sentenceOf } from "../api/client";
import type { ApiError, Event, RecentFolder, SaveState, Settings, Started } from "../api/generated";
import { Emitter } from "../base/emitter";

export type Phase = "starting" | "welcome" | "opening" | "workspace";

export interface OpenWorkspace {
  /** Absolute path of the folder. */
  root: string;
  name: string;
}

export const DEFAULT_SETTINGS: Settings = {
  theme: "system",
  zoomPercent: 100,
  person: null,
  editorFontFamily: "",
  editorFontSize: 14,
  tabSize: 4,
  wordWrap: false,
  minimap: true,
  showWhitespace: false,
  reduceMotion: false,
  timelineVisible: true,
  timelineHintSeen: false,
  axis: "activity",
  reopen: true,
  keys: {},
};

const NOTHING_YET: SaveState = { kind: "saved", savedMs: null, nUnwritten: 0, message: null };

export class Session {
  phase = $state<Phase>("starting");
  started = $state.raw<Started | null>(null);
  settings = $state.raw<Settings>(DEFAULT_SETTINGS);
  workspace = $state.raw<OpenWorkspace | null>(null);
  save = $state.raw<SaveState>(NOTHING_YET);
  recent = $state.raw<RecentFolder[]>([]);
  /** What stands in the way of showing a workspace; on the welcome page. */
  failure = $state.raw<ApiError | null>(null);
  systemDark = $state(true);
  readonly #opened = new Emitter<OpenWorkspace>();
  readonly #closing = new Emitter<void>();
  /** After a workspace was opened, before it is drawn. */
  readonly onOpened = this.#opened.on;
  /** Before the workspace goes away. */
  readonly onClosing = this.#closing.on;

  constructor(private readonly client: Client) {
    client.onEvent((event) => this.#handleEvent(event));
    client.onAppEvent((event) => {
      if (event.event === "systemThemeChanged") this.systemDark = event.data.dark;
      if (event.event === "workspaceClosed") this.#leave(event.data.error);
    });
  }

  #handleEvent(event: Event): void {
    if (event.event === "saveState") this.save = event.data;
  }

  /** First thing a window does. Opens what it was started with. */
  async start(): Promise<Started> {
    const started = await this.client.getApp("started", { cmd: "start" });
    this.started = started;
    this.settings = { ...DEFAULT_SETTINGS, ...started.settings };
    this.systemDark = started.systemDark;
    if (started.open !== null) await this.open(started.open);
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
    } catch {
      // Without the list the page is still whole; the next opening writes it anew.
      this.recent = [];
    }
  }

  async forgetRecent(path: string): Promise<void> {
    await this.client.app({ cmd: "forgetRecent", args: { path } });
    await this.loadRecent();
  }

  /** Opens a folder as the workspace of this window. What stands in the way is in `failure`. */
  async open(path: string): Promise<boolean> {
    return this.#openBy(() => this.client.getApp("opened", { cmd: "openWorkspace", args: { path } }));
  }

  openSample(): Promise<boolean> {
    return this.#openBy(() => this.client.getApp("opened", { cmd: "openSample" }));
  }

  /** Asks for a folder first. */
  async pickAndOpen(title: string): Promise<boolean> {
    const { path } = await this.client.getApp("path", { cmd: "pickFolder", args: { title } });
    return path === null ? false : this.open(path);
  }

  async #openBy(ask: () => Promise<OpenWorkspace>): Promise<boolean> {
    const before = this.phase;
    this.failure = null;
    if (this.workspace !== null) this.#closing.fire();
    this.phase = "opening";
    try {
      const opened = await ask();
      this.workspace = { root: opened.root, name: opened.name };
      await this.#readStatus();
      this.phase = "workspace";
      this.#opened.fire(this.workspace);
      return true;
    } catch (cause) {
      this.failure = asApiError(cause);
      this.workspace = null;
      this.phase = before === "starting" ? "starting" : "welcome";
      if (this.phase === "welcome") await this.loadRecent();
      return false;
    }
  }

  async #readStatus(): Promise<void> {
    try {
      this.save = (await this.client.get("status", { cmd: "status" })).save;
    } catch {
      // The next `saveState` event tells.
      this.save = NOTHING_YET;
    }
  }

  async close(): Promise<void> {
    this.#closing.fire();
    await this.client.idle();
    await this.client.app({ cmd: "closeWorkspace" });
    this.workspace = null;
    await this.showWelcome();
  }

  #leave(error: ApiError): void {
    if (this.workspace !== null) this.#closing.fire();
    this.workspace = null;
    this.failure = error;
    void this.showWelcome();
  }

  /** Applied at once; kept by the shell. */
  async changeSettings(change: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...change };
    await this.client.app({ cmd: "putSettings", args: { settings: this.settings } });
  }

  /** Name of the theme to use now. */
  get theme(): "dark" | "light" | "hc-dark" | "hc-light" {
    const { theme } = this.settings;
    if (theme === "dark" || theme === "light" || theme === "hc-dark" || theme === "hc-light") return theme;
    return this.systemDark ? "dark" : "light";
  }

  get isReadOnly(): boolean {
    return this.save.kind === "diskFull";
  }
}

function asApiError(cause: unknown): ApiError {
  return isApiError(cause) ? cause : { code: "internal", message: sentenceOf(cause), detail: null };
}
