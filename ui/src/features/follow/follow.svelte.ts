/**
 * Following another person: one pane shows the file and the lines that they look at, until anything is done in it here.
 * Moves the view only; caret and text stay the follower's own, and nothing is told to whoever is followed.
 */
import type { Member, Place, Signal } from "../../api/generated";
import { isModifier, keyName } from "../../base/keys";
import { followedLeft, hasLeft } from "../../base/messages";
import { baseName, isReadme } from "../../base/paths";
import { past } from "../../state/past.svelte";
import type { Group } from "../../state/tabs.svelte";
import type { Pane } from "../../workbench/pane.svelte";
import type { Workbench } from "../../workbench/workbench";

const IMMEDIATE = 1;
/** Whoever came in and nobody shows a file for so long looks around alone. */
const JOIN_WAIT_MS = 20_000;
const LOAD_WAIT_MS = 5_000;
const BELOW_TOP_LINES = 6;

export class Follow {
  /** Group whose pane follows; it outlives none of them. */
  groupId = $state<number | null>(null);
  /** Looks for whom to follow until then: somebody has just come in. */
  #joinedUntil_ms = 0;
  #joinedAfter: string | null = null;
  /** Tab that the pane is to show, whatever its file is called by now: another one was opened by the person here. */
  #expectedId: number | null = null;
  /** Where their caret was when it was shown last: whoever only scrolls leaves it behind. */
  #head = "";

  constructor(private readonly workbench: Workbench) {}

  get device(): string | null {
    return this.workbench.people.followed;
  }

  #group(): Group | null {
    return this.workbench.editors.tabs.groups.find((one) => one.id === this.groupId) ?? null;
  }

  #pane(): Pane | null {
    const group = this.#group();
    return group === null ? null : this.workbench.editors.pane(group);
  }

  start(device: string): void {
    const { people, editors } = this.workbench;
    const member = people.member(device);
    if (member === null || member.isSelf || this.#isOffline(device)) return;
    this.#comeToNow();
    const { group } = editors.tabs;
    this.groupId = group.id;
    this.#expectedId = group.activeId;
    people.followed = device;
    const [main] = people.placeOf(device)?.selections ?? [];
    this.#head = `${people.placeOf(device)?.path} ${main?.[1]}`;
    this.apply();
    editors.focusSoon();
  }

  stop(): void {
    this.#joinedUntil_ms = 0;
    this.workbench.people.followed = null;
    this.groupId = null;
  }

  #comeToNow(): void {
    if (past.moment !== null) this.workbench.commands.run("timeline.now");
  }

  /** Of whoever is not there it is said. */
  #isOffline(device: string): boolean {
    const { people, layout } = this.workbench;
    const [member, name] = [people.member(device), people.nameOf(device)];
    if (member?.isConnected === true) return false;
    layout.say(member?.leftMs == null ? `${name} is offline.` : hasLeft(name));
    return true;
  }

  toggle(device: string | null): void {
    if (this.device !== null && (device === null || device === this.device)) {
      this.stop();
      return;
    }
    const wanted = device ?? this.#liveliest()?.device ?? null;
    if (wanted !== null) this.start(wanted);
  }

  #liveliest(): Member | null {
    const { people } = this.workbench;
    const here = people.here.filter((one) => people.placeOf(one.device) !== null);
    return here.sort((a, b) => people.typedMs(b.device) - people.typedMs(a.device))[0] ?? people.here[0] ?? null;
  }

  /** The person here has just come in: the first file that somebody there looks at is shown, as soon as one is. */
  afterJoin(person: string): void {
    this.#joinedUntil_ms = Date.now() + JOIN_WAIT_MS;
    this.#joinedAfter = person;
    this.followWhoLetIn();
  }

  followWhoLetIn(): void {
    const { people, editors } = this.workbench;
    const shown = editors.tabs.active;
    // What is about the workspace is shown by itself; anything else was opened by the person here.
    if (shown !== null && !isReadme(shown.path)) this.#joinedUntil_ms = 0;
    if (this.device !== null || Date.now() > this.#joinedUntil_ms || editors.files === null) return;
    const there = people.here.filter((one) => people.placeOf(one.device)?.path != null);
    const wanted = there.find((one) => one.person === this.#joinedAfter) ?? there[0];
    if (wanted === undefined) return;
    this.#joinedUntil_ms = 0;
    this.start(wanted.device);
  }

  /** Somebody moved, or a file arrived: shows what is to be shown. */
  apply(): void {
    const { people, editors, notices, layout } = this.workbench;
    // Before anything is shown: whoever opened something else here is not led away from it.
    this.checkPath();
    const { device } = this;
    if (device === null) return;
    const group = this.#group();
    if (group === null) {
      this.stop();
      return;
    }
    const place = people.placeOf(device);
    if (place === null) {
      const member = people.member(device);
      // Whoever goes has no place first; what became of them is told right behind it.
      if (member?.isConnected === true) return;
      const name = people.nameOf(device);
      this.stop();
      if (member?.leftMs == null) layout.say(`${name} is offline.`);
      else notices.toast(followedLeft(name), { code: "MSG-PEER-3" });
      return;
    }
    if (place.path === null) return;
    if (group.active?.path !== place.path) this.#openFor(group, place.path);
    else this.#align(editors.pane(group), place);
  }

  /** The pane shows something else than it was led to: whoever sits here opened it. */
  checkPath(): void {
    const group = this.#group();
    if (this.device === null || group === null) return;
    if (group.activeId !== this.#expectedId) this.stop();
  }

  #openFor(group: Group, path: string): void {
    const { editors } = this.workbench;
    const { tabs } = editors;
    const before = tabs.activeIndex;
    // The keyboard stays where it is; in the text of this pane, it goes on to the next one.
    const hasFocus = editors.pane(group).hasFocus;
    editors.open(path, { group: tabs.groups.indexOf(group), isPreview: true, keepsFocus: !hasFocus });
    this.#expectedId = group.activeId;
    // Whoever types in another pane meanwhile stays there.
    if (tabs.activeIndex !== before && before < tabs.groups.length) tabs.activeIndex = before;
  }

  #align(pane: Pane, place: Place): void {
    const { editor, file } = pane;
    const model = editor?.getModel();
    if (editor === null || model == null || file === null || file.path !== place.path || file.link === null) return;
    const { link } = file;
    link.inOrder(() => {
      if (place.topLine > 0) {
        const top_px = editor.getTopForLineNumber(Math.min(place.topLine, model.getLineCount()));
        if (Math.abs(top_px - editor.getScrollTop()) > 1) editor.setScrollTop(top_px, IMMEDIATE);
      }
      const [main] = place.selections;
      const head = `${place.path} ${main?.[1]}`;
      if (main !== undefined && head !== this.#head) editor.revealLine(model.getPositionAt(link.placeOnSurface(main[1])).lineNumber, IMMEDIATE);
      this.#head = head;
    });
  }

  /** A key, a click or a turn of the wheel: does it end the following? */
  handleInput(event: KeyboardEvent | PointerEvent | WheelEvent): void {
    if (this.device === null) {
      this.#lookAround(event.target);
      return;
    }
    if (!(event.target instanceof Node)) return;
    const { editors, commands } = this.workbench;
    const index = editors.tabs.groups.findIndex((one) => one.id === this.groupId);
    const shown = document.querySelector(`[data-testid="group-${index}"]`);
    const isInside = shown?.contains(event.target) === true;
    if (event instanceof KeyboardEvent) {
      const name = keyName(event);
      const own = commands.keysOf(commands.get("follow.toggle") ?? NO_COMMAND);
      // A key without a name is the first of an input method, or a dead one: what it begins is typed here.
      if (isModifier(event) || name === "Esc" || (name !== null && own.includes(name)) || (!isInside && event.target !== document.body)) return;
      this.#bringCaret();
      this.stop();
    } else if (isInside) this.stop();
  }

  /** Whoever came in and is at work in a file already is not led away from it. */
  #lookAround(target: EventTarget | null): void {
    if (this.#joinedUntil_ms > 0 && target instanceof Element && target.closest("[data-testid^='group-']") !== null) this.#joinedUntil_ms = 0;
  }

  /** What is typed next goes where the person looks, not to a place that they have left long ago. */
  #bringCaret(): void {
    const pane = this.#pane();
    const editor = pane?.editor;
    const seen = editor?.getVisibleRanges() ?? [];
    const own = editor?.getPosition();
    const first = seen[0];
    const last = seen.at(-1);
    if (editor == null || own == null || first === undefined || last === undefined) return;
    if (own.lineNumber >= first.startLineNumber && own.lineNumber <= last.endLineNumber) return;
    const [main] = (this.device === null ? null : this.workbench.people.placeOf(this.device))?.selections ?? [];
    const model = editor.getModel();
    const theirs = main === undefined || model === null ? null : model.getPositionAt(main[1]);
    const isSeen = theirs !== null && theirs.lineNumber >= first.startLineNumber && theirs.lineNumber <= last.endLineNumber;
    // Not at the very top: the text would move to make room above it.
    const line = Math.min(first.startLineNumber + BELOW_TOP_LINES, last.endLineNumber);
    editor.setPosition(isSeen ? theirs : { lineNumber: line, column: 1 });
  }

  /** The caret goes where somebody's is, once. */
  async goTo(device: string): Promise<void> {
    if (this.#isOffline(device)) return;
    const place = this.workbench.people.placeOf(device);
    if (place?.path == null) {
      this.workbench.layout.say(`${this.workbench.people.nameOf(device)} has no file open.`);
      return;
    }
    this.stop();
    this.#comeToNow();
    const { editors } = this.workbench;
    editors.open(place.path);
    const pane = editors.activePane;
    const started_ms = Date.now();
    while (pane.file?.path !== place.path || pane.editor?.getModel() == null) {
      if (Date.now() - started_ms > LOAD_WAIT_MS || pane.trouble !== null || pane.file?.link === null) return;
      await new Promise((done) => setTimeout(done, 20));
    }
    const [main] = place.selections;
    if (main === undefined) pane.goTo({ line: place.topLine });
    else pane.setCaret(pane.file.link?.placeOnSurface(main[1]) ?? main[1]);
  }

  /** Asks somebody to come here; null: all the others. */
  async bring(device: string | null): Promise<void> {
    const { editors, client, layout, people } = this.workbench;
    const path = editors.activePath;
    if (path === null) return;
    if (device !== null && this.#isOffline(device)) return;
    const line = editors.caretLine;
    await client.ask({ cmd: "signal", args: { kind: "bring", path, line, to: device } });
    layout.say(`Asked ${device === null ? "the others" : people.nameOf(device)} to come to ${baseName(path)}:${line}`, 3_000);
  }

  /** Somebody asks the person here to come. */
  asked(device: string, { path, line, to }: Bring): void {
    const { people, notices, editors } = this.workbench;
    const go = (): void => {
      this.stop();
      this.#comeToNow();
      editors.open(path, { place: { line } });
    };
    notices.toast(`${people.nameOf(device)} asks ${to === null ? "everyone" : "you"} to come to ${baseName(path)}:${line}.`, { buttons: [{ label: "Go there", run: go }] });
  }

  toggleMuted(device: string): void {
    const { people } = this.workbench;
    const muted = new Set(people.muted);
    if (!muted.delete(device)) muted.add(device);
    people.muted = muted;
  }
}

type Bring = Extract<Signal, { kind: "bring" }>;

const NO_COMMAND = { id: "", title: "", category: "", run: () => undefined };
