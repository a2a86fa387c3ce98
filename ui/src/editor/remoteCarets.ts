/**
 * Other people's carets and selections in one editor: a bar that always shows, a tint with a line under it, and a name
 * that comes with activity and goes again. They move with the text by themselves until the next word of where they are.
 * Draws only: never touches the text, the caret or the scroll position, and says nothing to a screen reader.
 */
import type * as MonacoNamespace from "monaco-editor/editor/editor.api";
import type { Monaco } from "./monaco";
import { type FlagMode, type OffScreenPlaces, type RemotePerson, hasRoomForFlag, offScreenPlaces, wouldHideText } from "./remotePlaces";
import "./remoteCarets.css";

type Editor = MonacoNamespace.editor.ICodeEditor;
type Decoration = MonacoNamespace.editor.IModelDeltaDecoration;

/** A name stays so long after its owner moved. */
const FLAG_MS = 2_000;
/** What is off the screen is worked out anew at most this often while one scrolls. */
const EDGES_MS = 50;

/** Nothing typed at its edge becomes part of it. */
const NEVER_GROWS = 1;
const ABOVE = 1;
const BELOW = 2;
const RULER_CENTER = 2;

let n_editors = 0;

/** What the ruler draws with, by theme: asking the page for it with every move of a caret would be dear. */
const colours = new Map<string, string>();

function colourOf(color: number): string {
  const key = `${document.documentElement.dataset["theme"]}-${color % 8}`;
  const known = colours.get(key) ?? getComputedStyle(document.documentElement).getPropertyValue(`--author-${color % 8}`).trim();
  colours.set(key, known);
  return known;
}

/** The name beside a caret: one element for as long as the person is in this text. */
class Flag implements MonacoNamespace.editor.IContentWidget {
  readonly suppressMouseDown = true;
  readonly #node = document.createElement("div");
  readonly #id: string;
  /** Null: there is no room for it now. */
  position: MonacoNamespace.IPosition | null = null;

  constructor(id: string) {
    this.#id = id;
    this.#node.setAttribute("aria-hidden", "true");
    this.#node.dataset["testid"] = "remote-flag";
  }

  describe({ device, name, initials, color, pattern }: RemotePerson): void {
    this.#node.className = `remote-flag person-${color % 8} pattern-${pattern % 3}`;
    this.#node.dataset["device"] = device;
    const long = document.createElement("span");
    long.className = "name";
    long.textContent = name;
    const short = document.createElement("span");
    short.className = "initials";
    short.textContent = initials;
    this.#node.replaceChildren(long, short);
  }

  setLineHeight(px: number): void {
    this.#node.style.height = `${px}px`;
    this.#node.style.lineHeight = `${px}px`;
  }

  /** What is always there must never lie over the text. */
  set isOverText(over: boolean) {
    this.#node.toggleAttribute("data-over-text", over);
  }

  set isQuiet(quiet: boolean) {
    this.#node.dataset["state"] = quiet ? "quiet" : "shown";
  }

  getId(): string {
    return this.#id;
  }

  getDomNode(): HTMLElement {
    return this.#node;
  }

  getPosition(): MonacoNamespace.editor.IContentWidgetPosition | null {
    return this.position === null ? null : { position: this.position, preference: [ABOVE, BELOW] };
  }
}

interface Shown {
  person: RemotePerson;
  marks: MonacoNamespace.editor.IEditorDecorationsCollection;
  flag: Flag;
  isActive: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class RemoteCarets {
  readonly #shown = new Map<string, Shown>();
  readonly #listeners: MonacoNamespace.IDisposable[];
  readonly #number: number;
  #flags: FlagMode = "activity";
  #edgesTimer: ReturnType<typeof setTimeout> | undefined;
  #edges = "";

  constructor(
    private readonly monaco: Monaco,
    private readonly editor: Editor,
    private readonly onEdges: (places: OffScreenPlaces) => void,
  ) {
    n_editors += 1;
    this.#number = n_editors;
    this.#listeners = [
      editor.onDidChangeCursorPosition(() => this.#placeFlags()),
      editor.onDidChangeModelContent(() => this.#placeFlags()),
      editor.onDidScrollChange(() => this.#edgesSoon()),
      editor.onDidLayoutChange(() => this.#edgesSoon()),
      editor.onDidChangeModel(() => this.clear()),
      editor.onDidChangeConfiguration((event) => {
        if (event.hasChanged(this.monaco.editor.EditorOption.lineHeight)) this.#measure();
      }),
    ];
  }

  set flags(mode: FlagMode) {
    if (mode === this.#flags) return;
    this.#flags = mode;
    this.#placeFlags();
  }

  /** Somebody's places in this text, the main caret first: anchor and head of each selection, in UTF-16 units. */
  show(person: RemotePerson, selections: readonly (readonly [anchor: number, head: number])[], isActive: boolean): void {
    const model = this.editor.getModel();
    if (model === null || selections.length === 0) {
      this.hide(person.device);
      return;
    }
    const shown = this.#shown.get(person.device) ?? this.#add(person);
    this.describe(person);
    const marks = selections.flatMap(([anchor, head]) => this.#marksOf(model, person, anchor, head));
    shown.marks.set(marks);
    if (isActive) this.#stir(shown);
    this.#placeFlag(shown, this.#ownLines());
    this.#edgesSoon();
  }

  /** Somebody who is shown is called otherwise now. Their places stay. False: they are not shown. */
  describe(person: RemotePerson): boolean {
    const shown = this.#shown.get(person.device);
    if (shown === undefined) return false;
    if (JSON.stringify(shown.person) !== JSON.stringify(person)) {
      shown.person = person;
      shown.flag.describe(person);
    }
    return true;
  }

  /** They typed just now, wherever that was said from. */
  stir(device: string): void {
    const shown = this.#shown.get(device);
    if (shown === undefined) return;
    this.#stir(shown);
    this.#placeFlag(shown, this.#ownLines());
  }

  #add(person: RemotePerson): Shown {
    const flag = new Flag(`remote-${this.#number}-${person.device}`);
    flag.describe(person);
    flag.isQuiet = true;
    flag.setLineHeight(this.editor.getOption(this.monaco.editor.EditorOption.lineHeight));
    const shown: Shown = { person, marks: this.editor.createDecorationsCollection(), flag, isActive: false, timer: undefined };
    this.#shown.set(person.device, shown);
    this.editor.addContentWidget(flag);
    return shown;
  }

  // The head comes first: where somebody is, is where the first mark of them is.
  #marksOf(model: MonacoNamespace.editor.ITextModel, person: RemotePerson, anchor: number, head: number): Decoration[] {
    const look = `person-${person.color % 8} pattern-${person.pattern % 3}`;
    const at = model.getPositionAt(head);
    const colour = colourOf(person.color);
    const caret: Decoration = {
      range: this.monaco.Range.fromPositions(at, at),
      options: {
        className: `remote-caret ${look}`,
        showIfCollapsed: true,
        stickiness: NEVER_GROWS,
        overviewRuler: { color: colour, position: RULER_CENTER },
        zIndex: 5,
      },
    };
    if (anchor === head) return [caret];
    const range = this.monaco.Range.fromPositions(model.getPositionAt(Math.min(anchor, head)), model.getPositionAt(Math.max(anchor, head)));
    return [caret, { range, options: { className: `remote-selection ${look}`, stickiness: NEVER_GROWS } }];
  }

  #stir(shown: Shown): void {
    clearTimeout(shown.timer);
    shown.isActive = true;
    shown.timer = setTimeout(() => {
      shown.isActive = false;
      this.#placeFlag(shown, this.#ownLines());
    }, FLAG_MS);
  }

  #ownLines(): number[] {
    return (this.editor.getSelections() ?? []).map((one) => one.positionLineNumber);
  }

  #placeFlags(): void {
    const own = this.#ownLines();
    for (const shown of this.#shown.values()) this.#placeFlag(shown, own);
    this.#edgesSoon();
  }

  #placeFlag(shown: Shown, ownLines: readonly number[]): void {
    const { flag } = shown;
    const head = shown.marks.getRange(0);
    const isWanted = this.#flags !== "never" && head !== null && hasRoomForFlag(head.startLineNumber, ownLines);
    flag.position = isWanted && head !== null ? { lineNumber: head.startLineNumber, column: head.startColumn } : null;
    flag.isQuiet = !shown.isActive && this.#flags !== "always";
    flag.isOverText = head !== null && this.#isTextBeside(head);
    this.editor.layoutContentWidget(flag);
  }

  /** In the line that the flag stands in: the one above, or below the first. */
  #isTextBeside({ startLineNumber: line, startColumn }: MonacoNamespace.IRange): boolean {
    const model = this.editor.getModel();
    const beside = line > 1 ? line - 1 : 2;
    return model !== null && beside <= model.getLineCount() && wouldHideText(model.getLineContent(beside), startColumn);
  }

  #measure(): void {
    const px = this.editor.getOption(this.monaco.editor.EditorOption.lineHeight);
    for (const { flag } of this.#shown.values()) flag.setLineHeight(px);
    this.#placeFlags();
  }

  #edgesSoon(): void {
    this.#edgesTimer ??= setTimeout(() => {
      this.#edgesTimer = undefined;
      this.#tellEdges();
    }, EDGES_MS);
  }

  #tellEdges(): void {
    const ranges = this.editor.getVisibleRanges();
    const first = ranges[0]?.startLineNumber;
    const last = ranges.at(-1)?.endLineNumber;
    const places = [...this.#shown.values()].flatMap(({ person, marks }) => {
      const head = marks.getRange(0);
      return head === null ? [] : [{ person, line: head.startLineNumber }];
    });
    const edges = first === undefined || last === undefined ? { above: [], below: [] } : offScreenPlaces(places, first, last);
    const told = JSON.stringify(edges);
    if (told === this.#edges) return;
    this.#edges = told;
    this.onEdges(edges);
  }

  /** Where somebody is now, after what was typed since. */
  positionOf(device: string): MonacoNamespace.IPosition | null {
    return this.#shown.get(device)?.marks.getRange(0)?.getStartPosition() ?? null;
  }

  get devices(): string[] {
    return [...this.#shown.keys()];
  }

  hide(device: string): void {
    const shown = this.#shown.get(device);
    if (shown === undefined) return;
    clearTimeout(shown.timer);
    shown.marks.clear();
    this.editor.removeContentWidget(shown.flag);
    this.#shown.delete(device);
    this.#edgesSoon();
  }

  clear(): void {
    for (const device of this.devices) this.hide(device);
  }

  dispose(): void {
    clearTimeout(this.#edgesTimer);
    for (const listener of this.#listeners) listener.dispose();
    this.clear();
  }
}
