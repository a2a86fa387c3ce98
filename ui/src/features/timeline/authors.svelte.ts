/**
 * Who changed which line of the live text: coloured in the margin when asked for, and said on the gutter under the
 * mouse. Only reads: never touches the text, the caret or the timeline by itself.
 */
import type * as Monaco from "monaco-editor/editor/editor.api";
import type { Client } from "../../api/client";
import { type LineChange, authorRuns, fits, lineChanges } from "./blame";

type CodeEditor = Monaco.editor.ICodeEditor;

/** What the mouse or a command asked about. */
export interface Card {
  line: number;
  change: LineChange;
  /** In the window, in CSS pixels. */
  left_px: number;
  top_px: number;
}

const HOVER_MS = 350;
const LEAVE_MS = 250;
/** After the last change of the text. */
const SETTLE_MS = 500;
const TRIES_MAX = 8;

export class Authors {
  /** The margin is coloured. */
  isOn = $state(false);
  card = $state.raw<Card | null>(null);
  #known: { model: Monaco.editor.ITextModel; version: number; lines: LineChange[] } | null = null;
  #editor: CodeEditor | null = null;
  #marks: Monaco.editor.IEditorDecorationsCollection | null = null;
  #listeners: Monaco.IDisposable[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hoverTimer: ReturnType<typeof setTimeout> | undefined;
  #hoverLine = 0;

  constructor(
    private readonly client: Client,
    /** Path of the file in the active editor. */
    private readonly path: () => string | null,
    /** To the moment of a change in the timeline of the file. */
    private readonly show: (index: number) => void,
  ) {}

  /** Another editor is active, or another file in it. Returns what takes it back. */
  follow(monaco: typeof Monaco, editor: CodeEditor): () => void {
    this.#editor = editor;
    this.#marks = editor.createDecorationsCollection();
    const { MouseTargetType } = monaco.editor;
    const gutter = new Set([MouseTargetType.GUTTER_LINE_NUMBERS, MouseTargetType.GUTTER_LINE_DECORATIONS, MouseTargetType.GUTTER_GLYPH_MARGIN]);
    this.#listeners = [
      editor.onMouseMove(({ target }) => this.#moved(gutter.has(target.type) ? (target.position?.lineNumber ?? 0) : 0)),
      editor.onMouseLeave(() => this.#moved(0)),
      editor.onMouseDown(({ target }) => {
        const isStripe = target.type === MouseTargetType.GUTTER_LINE_DECORATIONS;
        if (this.isOn && isStripe && target.element?.classList.contains("author-stripe")) this.#open(target.position?.lineNumber ?? 0);
      }),
      editor.onDidScrollChange(() => this.hide()),
      editor.onKeyDown(() => this.hide()),
      editor.onDidChangeModel(() => this.#refreshSoon(0)),
      editor.onDidChangeModelContent(() => {
        this.hide();
        this.#refreshSoon(SETTLE_MS);
      }),
    ];
    this.#refreshSoon(0);
    return () => this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.hide();
    for (const listener of this.#listeners) listener.dispose();
    this.#listeners = [];
    this.#marks?.clear();
    this.#marks = null;
    this.#editor = null;
  }

  toggle(): void {
    this.isOn = !this.isOn;
    if (this.isOn) this.#refreshSoon(0);
    else this.#marks?.clear();
  }

  #refreshSoon(ms: number): void {
    clearTimeout(this.#timer);
    if (this.isOn) this.#timer = setTimeout(() => void this.#draw(), ms);
  }

  async #draw(): Promise<void> {
    const marks = this.#marks;
    const lines = await this.#lines();
    if (lines === null || marks !== this.#marks || !this.isOn) return;
    marks?.set(
      authorRuns(lines).map(({ first, last, author }) => ({
        range: { startLineNumber: first, startColumn: 1, endLineNumber: last, endColumn: 1 },
        options: { isWholeLine: true, linesDecorationsClassName: `author-stripe author-${author.color ?? "disk"}` },
      })),
    );
  }

  /** Null when it cannot be known: no text, or the engine refused. */
  async #lines(): Promise<LineChange[] | null> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const model = this.#editor?.getModel() ?? null;
      const path = this.path();
      if (model === null || path === null) return null;
      const version = model.getVersionId();
      if (this.#known?.model === model && this.#known.version === version) return this.#known.lines;
      try {
        const { spans } = await this.client.get("blame", { cmd: "blame", args: { path, at: null } });
        if (model.isDisposed()) return null;
        if (model.getVersionId() === version && fits(model.getValueLength(), spans)) {
          const lines = lineChanges(model.getValue(), spans);
          this.#known = { model, version, lines };
          return lines;
        }
      } catch {
        return null;
      }
      // What was typed last is on its way to the engine.
      await new Promise((done) => setTimeout(done, SETTLE_MS));
    }
    return null;
  }

  #moved(line: number): void {
    if (line === this.#hoverLine) return;
    this.#hoverLine = line;
    clearTimeout(this.#hoverTimer);
    if (line > 0) this.#hoverTimer = setTimeout(() => void this.say(line), this.card === null ? HOVER_MS : 60);
    else this.leave();
  }

  /** Says who changed a line; of no line given, that of the caret. */
  async say(line: number = this.#editor?.getPosition()?.lineNumber ?? 0): Promise<void> {
    const editor = this.#editor;
    const change = (await this.#lines())?.[line - 1];
    const box = editor?.getDomNode()?.getBoundingClientRect();
    const place = editor?.getScrolledVisiblePosition({ lineNumber: line, column: 1 });
    if (editor === null || editor !== this.#editor || change === undefined || box === undefined || place == null) return;
    const left_px = box.left + editor.getLayoutInfo().contentLeft;
    this.card = { line, change, left_px, top_px: Math.max(0, box.top + place.top + place.height) };
  }

  /** The mouse left: the card waits a little, for the hand may be on its way to it. */
  leave(): void {
    clearTimeout(this.#hoverTimer);
    this.#hoverTimer = setTimeout(() => this.hide(), LEAVE_MS);
  }

  stay(): void {
    clearTimeout(this.#hoverTimer);
  }

  hide(): void {
    clearTimeout(this.#hoverTimer);
    this.card = null;
  }

  #open(line: number): void {
    const change = this.#known?.lines[line - 1];
    if (change !== undefined) this.open(change);
  }

  open(change: LineChange): void {
    this.hide();
    this.show(change.index);
  }
}
