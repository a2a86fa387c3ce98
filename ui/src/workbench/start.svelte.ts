/** Puts the parts together, keeps them in step, and says when the window is ready. */
import { mount, tick, untrack } from "svelte";
import { Client, isApiError, sentenceOf } from "../api/client";
import type { Act, ApiError, Notice as EngineNotice, RefusedPath } from "../api/generated";
import { COPY_FAILED, HOW_TO_UPDATE, MESSAGES, UNDO_OVERWRITTEN, crashed, mannerOf, mixedLineEnds, updateNote } from "../base/messages";
import { painted } from "../base/painted";
import { baseName, isReadme } from "../base/paths";
import { Keybindings } from "../commands/keybindings.svelte";
import { CommandRegistry } from "../commands/registry.svelte";
import { loadMonaco } from "../editor/monaco";
import { applyTheme } from "../editor/theme";
import type { Host } from "../platform/host";
import { FilesState } from "../state/files.svelte";
import { type NoticeButton, Notices } from "../state/notices.svelte";
import { followLongWork } from "../state/longWork";
import { past } from "../state/past.svelte";
import { progress } from "../state/progress.svelte";
import { People } from "../state/people.svelte";
import { Session } from "../state/session.svelte";
import App from "./App.svelte";
import { autoSaver } from "./autoSave";
import { editCommands } from "./editCommands";
import { EditorArea } from "./editorArea.svelte";
import { frameCommands } from "./frameCommands";
import { Layout } from "./layout.svelte";
import { Memory } from "./memory";
import { setAsideButtons } from "./setAside";
import { slots } from "./slots.svelte";
import type { Workbench } from "./workbench";

declare global {
  interface Window {
    /** For tests: what can be waited for instead of slept through. */
    __cs?: { idle(): Promise<void>; workbench: Workbench };
  }
}

/** While the moment shown changes with every frame. */
const TREE_EVERY_MS = 120;

/** Done when the newest workspace shows what it showed when it was last open. */
let settling: Promise<unknown> = Promise.resolve();

export async function start(host: Host, features: readonly ((workbench: Workbench) => void)[]): Promise<void> {
  const client = new Client(host);
  await client.start();
  const workbench = makeWorkbench(client);
  const { session, commands, notices } = workbench;
  commands.registerAll([...frameCommands(workbench), ...editCommands(workbench)]);
  commands.onFailed((cause) => notices.fail(cause));
  for (const contribute of features) contribute(workbench);
  const memory = new Memory(client, workbench.layout, workbench.editors, workbench.files);
  followLongWork(client, progress);
  // Whoever looks at the window has seen it end.
  progress.onLongDone = (sentence) => void (document.hasFocus() || notices.toast(sentence, { stays: true }));
  follow(workbench, memory);
  window.addEventListener("pagehide", () => {
    workbench.editors.flush();
    memory.write();
  });
  const keybindings = new Keybindings(commands);
  window.__cs = { idle: () => idle(workbench), workbench };
  const app = document.querySelector("#app");
  if (app === null) throw new Error("the page has no #app");
  mount(App, { target: app, props: { workbench, keybindings } });
  // The editor takes long to load: it does so while the engine opens the folder, but not before there is something to see.
  const started = await session.start(() => void showWindow(client).then(painted).then(loadMonaco));
  if (started.crashed && session.workspace !== null) sayCrashed(workbench);
  if (started.open === null) await showWindow(client);
  else await inThePage();
  document.documentElement.dataset["ready"] = "1";
  // The tabs of the last time come first, or they would replace this one.
  await settling;
  const { goto } = started;
  if (goto !== null && session.workspace !== null) workbench.editors.open(goto[0], { place: { line: goto[1] } });
}

/** MSG-CRASH-1. Nothing is sent anywhere; the report is for the person who asks for it. */
function sayCrashed({ notices, session, copyText, commands }: Workbench): void {
  const text = crashed(session.save.savedMs);
  const { version = "", platform = "" } = session.started ?? {};
  const report = [text, `CodeSync ${version} on ${platform}`, new Date().toISOString()].join("\n");
  const copy = (): void => {
    copyText(report).catch((cause: unknown) => commands.fail(cause));
  };
  const [nothing, copying] = MESSAGES["MSG-CRASH-1"].buttons;
  notices.toast(text, { buttons: [{ label: nothing, run: () => undefined }, { label: copying, run: copy }] });
}

/** The save state that stands over the editors comes a moment after the edit that it refuses. */
const BANNER_WAIT_MS = 300;

function makeWorkbench(client: Client): Workbench {
  const notices = new Notices();
  const session = new Session(client);
  const sayRefused = (sentence: string): void => {
    setTimeout(() => {
      const isSaid = session.save.kind === "diskFull" || session.save.kind === "folderGone";
      if (!isSaid) notices.toast(sentence, { stays: true, isUrgent: true });
    }, BANNER_WAIT_MS);
  };
  return {
    client,
    commands: new CommandRegistry(),
    session,
    notices,
    people: new People(client),
    files: new FilesState(client),
    editors: new EditorArea(client, sayRefused),
    layout: new Layout(),
    slots,
    copyText: async (text) => {
      try {
        await client.app({ cmd: "writeClipboard", args: { text } });
      } catch (cause) {
        throw refusal(COPY_FAILED, sentenceOf(cause));
      }
    },
  };
}

function refusal(message: string, detail: string): ApiError {
  return { code: "io", message, detail };
}

/** Shows the window with the frame in it; what it opens comes into it. */
async function showWindow(client: Client): Promise<void> {
  await inThePage();
  await client.app({ cmd: "painted" });
}

/** Resolves when what was set is in the page. A hidden window draws no animation frames, so this must not wait for one. */
async function inThePage(): Promise<void> {
  await tick();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function follow(workbench: Workbench, memory: Memory): void {
  followWorkspace(workbench, memory);
  followEngine(workbench, memory);
  $effect.root(() => {
    $effect(() => followLooks(workbench));
    $effect(() => followTitle(workbench));
    $effect(() => {
      workbench.session.isViewer = workbench.people.isViewer;
    });
    const { client, session, editors: area, notices } = workbench;
    $effect(autoSaver(client, session, area, (cause) => void notices.fail(cause)));
    $effect(() => {
      const { layout, files, editors } = workbench;
      JSON.stringify([layout.save(), editors.tabs.save(), [...files.expanded], files.showsIgnored]);
      memory.schedule();
    });
    $effect(() => {
      workbench.commands.userKeys = workbench.session.settings.keys as Record<string, string>;
    });
    // The tree follows the active file, unless the keyboard is in it.
    $effect(() => {
      const path = workbench.editors.activePath;
      if (path === null || !workbench.files.isLoaded || !workbench.session.settings.revealActive) return;
      untrack(() => {
        if (document.activeElement?.closest("[role='tree']") == null) void workbench.files.reveal(path);
      });
    });
    // The tree shows the moment the window is at, but not every one that a hand drags over.
    let wasPast = false;
    let treeTimer: ReturnType<typeof setTimeout> | undefined;
    $effect(() => {
      const isPast = past.moment !== null;
      void past.moment?.workspaceIndex;
      if (isPast !== wasPast) untrack(() => void workbench.files.reload());
      else if (isPast) {
        treeTimer ??= setTimeout(() => {
          treeTimer = undefined;
          void workbench.files.reload();
        }, TREE_EVERY_MS);
      }
      wasPast = isPast;
    });
  });
}

function followWorkspace({ session, editors, files, layout, notices, people }: Workbench, memory: Memory): void {
  session.onOpened(() => {
    void people.start();
    settling = (async () => {
      const saved = await memory.read();
      if (saved !== null) layout.restore(saved.layout);
      files.isFirstTime = saved === null;
      files.showsIgnored = saved?.hidesIgnored !== true;
      await Promise.all([editors.start(saved?.editors ?? null), files.start(saved?.expanded ?? [])]);
      // For the menu; it is not on the way of what is seen first.
      void session.loadRecent();
      // Whoever came in is led to what the others look at.
      if (saved === null && people.followed === null) openReadme(files.entriesOf("").map((entry) => entry.path), editors);
      memory.begin();
      const news = session.refused.slice(0, REFUSED_SAID_MAX).filter(({ path }) => memory.isNews(`refused:${path}`));
      if (news.length > 0) sayRefusedPaths(session.refused, notices);
      // Why another workspace could not be opened may be asked about just now.
      if (document.querySelector("[role=dialog][aria-modal=true]") === null) editors.focusSoon();
    })().catch((cause: unknown) => notices.fail(cause));
  });
  // A newer version's workspace has a dialog of its own.
  session.onRefused((failure) => void (failure.code === "newerVersion" || notices.fail(failure)));
  session.onClosing(() => {
    memory.stop();
    notices.leaveWorkspace();
    people.stop();
    editors.stop();
    files.reset();
  });
}

/** So many are remembered as said. */
const REFUSED_SAID_MAX = 100;

/** Said when there is a new one: they are in the folder and not in the tree. */
function sayRefusedPaths(refused: readonly RefusedPath[], notices: Notices): void {
  const [first] = refused;
  if (first === undefined) return;
  const n = refused.length;
  const text = n === 1 ? first.reason : `${n} files are left out of history. ${first.reason}`;
  notices.toast(text, { stays: true, code: "MSG-FILE-6", detail: refused.slice(0, 50).map(({ path, reason }) => `${path}: ${reason}`).join("\n") });
}

/** A workspace seen for the first time shows what it is about. */
function openReadme(paths: readonly string[], editors: EditorArea): void {
  const readme = paths.find(isReadme);
  if (readme !== undefined) editors.open(readme, { isPreview: true });
}

function followEngine(workbench: Workbench, memory: Memory): void {
  const { client, editors, layout, notices, files, session, commands } = workbench;
  let opened_ms = 0;
  session.onOpened(() => (opened_ms = Date.now()));
  client.onEvent((event) => {
    if (event.event === "act") sayAct(workbench, event.data, opened_ms);
    else if (event.event === "notice") sayNotice(workbench, event.data);
    // A newcomer gets years of changes: they are no news.
    else if (event.event === "historyGrew" && workbench.people.link.kind !== "catchingUp") files.noteChanged(event.data.paths);
    else if (event.event === "treeChanged") {
      // A file that was deleted and is there again: its tab is an ordinary tab.
      setTimeout(async () => {
        // What was listed before it was deleted may still be on its way.
        await files.listed();
        for (const group of editors.tabs.groups) {
          for (const tab of group.tabs) if (tab.isGone && (files.entry(tab.path)?.kind ?? "folder") !== "folder") tab.isGone = false;
        }
      }, 200);
    }
  });
  client.onAppEvent((event) => {
    if (event.event !== "openRequested") return;
    const { path, goto } = event.data;
    void (async () => {
      const isOpen = session.workspace?.root === path || (await session.open(path));
      await settling;
      if (isOpen && goto !== null) editors.open(goto[0], { place: { line: goto[1] } });
    })();
  });
  editors.onUndone((undone) => {
    if (undone.kind === "applied") return;
    layout.say(undone.message ?? (undone.kind === "overwritten" ? UNDO_OVERWRITTEN : "Nothing to undo."));
  });
  // Said once of a file: afterwards the status bar shows what it gets.
  editors.onMixed(({ fileId, lastPath, lineEnd }) => {
    if (!memory.isNews(`mixed:${fileId ?? lastPath}`)) return;
    const choose = (): void => {
      if (editors.activePath === lastPath) commands.run("status.lineEnd");
      else editors.open(lastPath);
    };
    notices.toast(mixedLineEnds(baseName(lastPath), lineEnd === "lf" ? "LF" : "CRLF"), { buttons: [{ label: "Choose line end…", run: choose }] });
  });
  // Whoever asked and did not wait for the answer: a refusal is told all the same, while there is a workspace to be refused by.
  window.addEventListener("unhandledrejection", ({ reason }) => {
    if (session.workspace === null || !isApiError(reason) || typeof reason.code !== "string") return;
    notices.fail(reason);
  });
  let last = session.save.kind;
  client.onEvent((event) => {
    if (event.event !== "saveState") return;
    const { kind, message } = event.data;
    if (kind !== last && (kind === "cannotWriteFile" || kind === "failed") && message !== null) {
      // MSG-DISK-3: kept, but not in the folder.
      const [again, show] = MESSAGES["MSG-DISK-3"].buttons;
      const buttons = [
        { label: again, run: () => commands.run("file.saveAll") },
        { label: show, run: () => commands.run("file.revealInFileManager", "") },
      ];
      const isFile = kind === "cannotWriteFile";
      notices.toast(message, { stays: true, isUrgent: true, ...(isFile ? { buttons, code: "MSG-DISK-3" } : { code: kind }) });
    }
    last = kind;
  });
}

/** Files of one act above which it is worth a message. */
const MANY_FILES = 5;

function sayAct({ client, notices, commands }: Workbench, act: Act, opened_ms: number): void {
  // What others do begins with their name; what was done here has its own message where it was done.
  const isOthers = act.author !== "Disk" && [" ", "’s "].some((end) => act.sentence.startsWith(act.author + end));
  if (isOthers) {
    // What comes of the time before is history, and stands in the list of activity.
    if (act.atMs < opened_ms) return;
    const see = (): void => commands.run("timeline.compareWithPast", act.paths[0]);
    if (/ restored /.test(act.sentence)) notices.toast(act.sentence, act.paths.length === 0 ? {} : { buttons: [{ label: "See", run: see }] });
    else if (act.nFiles > MANY_FILES) notices.toast(act.sentence);
    return;
  }
  if (act.author !== "Disk" && act.canUndo) return;
  const undo = (): void => {
    client.ask({ cmd: "undoGroup", args: { groupId: act.groupId } }).catch((cause: unknown) => notices.fail(cause));
  };
  notices.toast(act.sentence, act.canUndo ? { buttons: [{ label: "Undo", run: undo }] } : {});
}

function sayNotice(workbench: Workbench, notice: EngineNotice): void {
  const { id, title, body, path } = notice;
  const text = body === "" ? title : `${title} ${body}`;
  workbench.notices.toast(text, { buttons: buttonsFor(workbench, notice, text), ...mannerOf(id), code: id, detail: path });
}

/** What can be done about something that the engine told. */
function buttonsFor(workbench: Workbench, notice: EngineNotice, text: string): NoticeButton[] {
  const { client, notices, files, commands } = workbench;
  const { id, path } = notice;
  const showing: NoticeButton[] = path === null ? [] : [{ label: "Show", run: () => void files.reveal(path) }];
  if (id === "MSG-DISK-4") {
    const [show] = MESSAGES[id].buttons;
    return [...showing, { label: show, run: () => commands.run("file.revealInFileManager", ".codesync/set-aside") }];
  }
  if (id === "MSG-VER-1") {
    const { person, note } = updateNote(text);
    const [copy] = MESSAGES[id].buttons;
    return [{ label: copy.replace("{person}", person), run: () => commands.run("edit.copyText", note) }];
  }
  if (id === "MSG-VER-2") {
    const [how] = MESSAGES[id].buttons;
    const { before, command, after } = HOW_TO_UPDATE;
    return [{ label: how, run: () => notices.toast(`${before} ${command}. ${after}`, { stays: true }) }];
  }
  if (id === "MSG-ROLE-5") return setAsideButtons(workbench, notice);
  if (id === "MSG-FILE-3" && path !== null) {
    const [compare] = MESSAGES[id].buttons;
    return [{ label: compare, run: () => commands.run("explorer.besideOriginal", path) }, ...showing];
  }
  if (id === "MSG-FILE-5" && path !== null) {
    const [keep, remove] = MESSAGES[id].buttons;
    const forEveryone = (): void => void client.ask({ cmd: "delete", args: { path } }).catch((cause: unknown) => notices.fail(cause));
    return [{ label: keep, run: () => undefined }, { label: remove, run: forEveryone }];
  }
  return showing;
}

function followLooks({ session, editors, client }: Workbench): void {
  const root = document.documentElement;
  root.dataset["theme"] = session.theme;
  root.dataset["motion"] = session.settings.reduceMotion ? "reduced" : "full";
  root.style.setProperty("--font-size", `${session.settings.uiFontSize}px`);
  // In the shell the web view itself zooms; a plain browser tab has to be asked.
  if (client.hostKind === "fake") root.style.setProperty("zoom", String(session.settings.zoomPercent / 100));
  if (editors.monaco !== null) applyTheme(editors.monaco, session.theme);
}

function followTitle({ session, editors, client }: Workbench): void {
  const name = session.workspace?.name;
  const path = editors.activePath ?? editors.untitledPath;
  const file = path === null ? undefined : baseName(path);
  const title = [file, name, "CodeSync"].filter((part) => part !== undefined).join(" — ");
  document.title = title;
  client.app({ cmd: "setTitle", args: { title } }).catch((cause: unknown) => {
    // A title is not worth a message.
    console.debug("no title", cause);
  });
}

/** Resolves when nothing is under way: no request, no edit on its way. */
async function idle({ client, editors }: Workbench): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    await client.idle();
    await tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
    quiet = client.isIdle && editors.files?.hasPending !== true ? quiet + 1 : 0;
  }
}
