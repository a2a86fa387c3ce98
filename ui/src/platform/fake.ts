/**
 * A shell and an engine in memory, for a plain browser tab and for tests: one sample workspace, gone with the page.
 * Good enough to work on the window; never a stand-in for the real engine in a test of behaviour.
 */
import type { ApiError, AppEvent, AppReply, AppRequest, Call, CallReply, Event, Push, RecentFolder, Settings, UntitledReply, UntitledRequest } from "../api/generated";
import { DEFAULT_SETTINGS } from "../api/settings";
import { FakeEngine } from "./fakeEngine";
import { FakePeople } from "./fakePeople";
import { FakeSearch } from "./fakeSearch";
import type { Host } from "./host";
import { SAMPLE } from "./sample";

const SETTINGS_KEY = "codesync-settings";

export class FakeHost implements Host {
  readonly kind = "fake";
  readonly people: FakePeople;
  readonly #engine: FakeEngine;
  readonly #search: FakeSearch;
  #onPushes: (pushes: Push[]) => void = () => undefined;
  #clipboard = "";
  readonly #untitled = new Map<string, string>();
  #recent: RecentFolder[] = [
    { path: "/home/asha/src/parser-lab", name: "parser-lab", openedMs: Date.now() - 130_000, missing: false },
    { path: "/home/asha/notes", name: "notes", openedMs: Date.now() - 3 * 86_400_000, missing: false },
    { path: "/home/asha/old-demo", name: "old-demo", openedMs: Date.now() - 40 * 86_400_000, missing: true },
  ];

  /** `n_others`: how many take part beside oneself. In a browser tab: `?people=11`. */
  constructor(files: Record<string, string> = SAMPLE, n_others = Number(parameter("people") ?? 0)) {
    const tell = (event: Event): void => queueMicrotask(() => this.#onPushes([{ from: "workspace", event }]));
    const tellApp = (event: AppEvent): void => queueMicrotask(() => this.#onPushes([{ from: "app", event }]));
    this.#engine = new FakeEngine(files, tell);
    this.#search = new FakeSearch(this.#engine);
    this.people = new FakePeople(n_others, Object.keys(files), tell, tellApp);
  }

  async subscribe(onPushes: (pushes: Push[]) => void): Promise<void> {
    this.#onPushes = onPushes;
  }

  async rpc(call: Call): Promise<CallReply> {
    // Like the real one: never before the caller has gone on.
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (call.to === "workspace") return { to: "workspace", reply: this.people.answer(call.request) ?? this.#engine.answer(call.request) };
    // Nothing here is too large.
    if (call.to === "large") return { to: "large", reply: { reply: "done" } };
    if (call.to === "untitled") return { to: "untitled", reply: this.#answerUntitled(call.request) };
    if (call.to === "search") return { to: "search", reply: this.#search.answer(call.request) };
    return { to: "app", reply: this.people.answerApp(call.request) ?? (await this.#answer(call.request)) };
  }

  #answerUntitled(request: UntitledRequest): UntitledReply {
    if (request.cmd === "takeUntitled") return { reply: "texts", value: { texts: [...this.#untitled].map(([id, text]) => ({ id, text })) } };
    if (request.cmd === "keepUntitled") this.#untitled.set(request.args.id, request.args.text);
    else this.#untitled.delete(request.args.id);
    return { reply: "done" };
  }

  async #answer(request: AppRequest): Promise<AppReply> {
    switch (request.cmd) {
      case "start":
        return { reply: "started", value: this.#started() };
      case "pickFolder":
        return { reply: "path", value: { path: "/home/asha/src/parser-lab" } };
      case "pickSaveFile":
        return { reply: "path", value: { path: null } };
      case "openWorkspace":
        return this.#open(request.args.path);
      case "openSample":
        return this.#open("/home/asha/Documents/CodeSync sample");
      case "listRecent":
        return { reply: "recent", value: { folders: this.#recent } };
      case "forgetRecent":
        this.#recent = this.#recent.filter((folder) => folder.path !== request.args.path);
        return { reply: "done" };
      case "getSettings":
        return { reply: "settings", value: { settings: readSettings() } };
      case "putSettings":
        globalThis.localStorage?.setItem(SETTINGS_KEY, JSON.stringify(request.args.settings));
        return { reply: "done" };
      case "readClipboard":
        return { reply: "clipboard", value: { text: this.#clipboard } };
      case "writeClipboard":
        this.#clipboard = request.args.text;
        return { reply: "done" };
      default:
        return { reply: "done" };
    }
  }

  #started(): Extract<AppReply, { reply: "started" }>["value"] {
    const wanted = parameter("open");
    const systemDark = globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches ?? true;
    return { version: "0.1.0", settings: readSettings(), open: wanted, goto: null, crashed: false, person: "Asha", systemDark, systemContrast: false, platform: "browser" };
  }

  #open(path: string): AppReply {
    if (path.includes("unreadable")) {
      const error: ApiError = { code: "io", message: `“${path}” cannot be read: permission denied.`, detail: "EACCES" };
      throw error;
    }
    return { reply: "opened", value: { root: path, name: path.slice(path.lastIndexOf("/") + 1) } };
  }
}

function parameter(name: string): string | null {
  return new URLSearchParams(globalThis.location?.search ?? "").get(name);
}

function readSettings(): Settings {
  const kept = globalThis.localStorage?.getItem(SETTINGS_KEY);
  const theme = parameter("theme");
  const settings = kept == null ? {} : (JSON.parse(kept) as Partial<Settings>);
  return { ...BASE, ...settings, ...(theme === null ? {} : { theme }) };
}

const BASE: Settings = { ...DEFAULT_SETTINGS, theme: "dark" };
