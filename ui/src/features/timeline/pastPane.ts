/**
 * The editor that shows a text of the past. It lies over the live editor and never touches it, so what was
 * open stays exactly as it was left: caret, scroll, pending edits. Must never write into a live model.
 */
import type * as Monaco from "monaco-editor/editor/editor.api";
import { hideDrawnLines } from "../../editor/drawnLines";
import { fromSplices, toSplices } from "../../editor/changeset";
import type { Splice } from "../../api/generated";
import type { DiffMode, Shown, TextUpdate } from "../../state/timeline.svelte";

type MonacoApi = typeof Monaco;
type CodeEditor = Monaco.editor.ICodeEditor;

export interface PaneListener {
  /** Somebody typed into the past; where on the screen, relative to the host. */
  typed(place: { left: number; top: number }): void;
  selected(hasSelection: boolean): void;
}

const FLASH_MS = 600;
/** Beyond this many splices the whole text is cheaper, and too much changed to keep a place. */
const SPLICES_MAX = 400;
/** Where there is less room, what is compared stands in one column. */
export const INLINE_BELOW_PX = 900;
/** Room for MSG-TL-4. */
const NOTE_WIDTH_PX = 380;
const NOTE_HEIGHT_PX = 56;
const EDITING_KEYS = new Set(["Backspace", "Delete", "Enter", "Tab"]);

export class PastPane {
  readonly #model: Monaco.editor.ITextModel;
  readonly #editor: Monaco.editor.IStandaloneCodeEditor;
  readonly #plainHost: HTMLElement;
  readonly #diffHost: HTMLElement;
  #diff: Monaco.editor.IStandaloneDiffEditor | null = null;
  #other: Monaco.editor.ITextModel | null = null;
  #ownsOther = false;
  #flashTimer: ReturnType<typeof setTimeout> | undefined;
  #flash: Monaco.editor.IEditorDecorationsCollection;

  constructor(
    readonly monaco: MonacoApi,
    host: HTMLElement,
    /** The editor underneath: its look is taken over. */
    live: CodeEditor | null,
    private readonly listener: PaneListener,
  ) {
    this.#plainHost = host.appendChild(hostElement());
    this.#diffHost = host.appendChild(hostElement());
    this.#diffHost.hidden = true;
    this.#model = monaco.editor.createModel("", live?.getModel()?.getLanguageId() ?? "plaintext");
    this.#model.setEOL(monaco.editor.EndOfLineSequence.LF);
    this.#editor = monaco.editor.create(this.#plainHost, { ...this.#optionsFrom(live), model: this.#model });
    hideDrawnLines(this.#editor);
    this.#flash = this.#editor.createDecorationsCollection();
    this.#listenTo(this.#editor);
  }

  get element(): HTMLElement | null {
    return this.#editor.getDomNode();
  }

  #optionsFrom(live: CodeEditor | null): Monaco.editor.IStandaloneEditorConstructionOptions {
    return {
      ...(live?.getRawOptions() ?? {}),
      readOnly: true,
      domReadOnly: true,
      automaticLayout: true,
      ariaLabel: "Text of the past, read-only",
    };
  }

  #listenTo(editor: CodeEditor): void {
    editor.onKeyDown((event) => {
      const { key, ctrlKey, altKey, metaKey } = event.browserEvent;
      const edits = EDITING_KEYS.has(key) || key.length === 1;
      const pastes = ctrlKey && ["v", "x", "z", "y"].includes(key.toLowerCase());
      if (altKey || metaKey || !((edits && !ctrlKey) || pastes)) return;
      event.preventDefault();
      event.stopPropagation();
      this.listener.typed(this.#placeOfCaret(editor));
    });
    editor.onDidChangeCursorSelection((event) => {
      if (editor.getModel() === this.#model) this.listener.selected(!event.selection.isEmpty());
    });
  }

  /** Under the caret, or the nearest place in sight. */
  #placeOfCaret(editor: CodeEditor): { left: number; top: number } {
    const position = editor.getPosition();
    const place = position === null ? null : editor.getScrolledVisiblePosition(position);
    const { width, height } = editor.getLayoutInfo();
    const clamp = (at: number, room: number, size: number): number => Math.max(8, Math.min(at, size - room));
    return {
      left: clamp(place?.left ?? 0, NOTE_WIDTH_PX, width),
      top: clamp((place?.top ?? 0) + (place?.height ?? 0), NOTE_HEIGHT_PX, height),
    };
  }

  /** Begins where the live editor stands. */
  startFrom(live: CodeEditor | null): void {
    if (live === null) return;
    const position = live.getPosition();
    if (position !== null) this.#editor.setPosition(position);
    this.#editor.setScrollPosition({ scrollTop: live.getScrollTop(), scrollLeft: live.getScrollLeft() });
  }

  setLanguage(language: string): void {
    this.monaco.editor.setModelLanguage(this.#model, language);
  }

  show(update: TextUpdate, shown: Shown, presentPath: string | null, isSameFile: boolean): void {
    if ("splices" in update && update.splices.length <= SPLICES_MAX) this.#apply(update.splices);
    else this.#replace(shown.text ?? "", isSameFile);
    if (this.#model.getValueLength() !== (shown.text ?? "").length) this.#model.setValue(shown.text ?? "");
    this.#revealChange(shown, presentPath);
  }

  /** Splices as one edit, so that carets and scroll stay with the text they stand at. */
  #apply(splices: readonly Splice[]): void {
    let grown = 0;
    const edits = toSplices(fromSplices(splices)).map(([position, deleted, inserted]) => {
      const start = this.#model.getPositionAt(position - grown);
      const end = this.#model.getPositionAt(position - grown + deleted);
      grown += inserted.length - deleted;
      return { range: this.monaco.Range.fromPositions(start, end), text: inserted };
    });
    this.#model.applyEdits(edits);
  }

  #replace(text: string, keepsPlace: boolean): void {
    const state = keepsPlace ? this.#editor.saveViewState() : null;
    this.#model.setValue(text);
    if (state !== null) this.#editor.restoreViewState(state);
  }

  #revealChange(shown: Shown, presentPath: string | null): void {
    const { position, added, path } = shown.moment;
    // In the workspace's timeline the change may be in another file. `path` is the present one.
    if (position === null || (path !== presentPath && path !== shown.path)) return;
    const start = this.#model.getPositionAt(position);
    const end = this.#model.getPositionAt(position + added);
    const visible = this.#visible;
    // Beginnings of lines are seen unless the change is far to the right: a hand that drags reads them.
    visible.setScrollLeft(0, this.monaco.editor.ScrollType.Immediate);
    visible.revealPositionInCenterIfOutsideViewport(start, this.monaco.editor.ScrollType.Immediate);
    const range = this.monaco.Range.fromPositions(start, end);
    const isPoint = range.isEmpty();
    this.#flash.set([
      { range, options: isPoint ? { beforeContentClassName: "tl-flash-point" } : { inlineClassName: "tl-flash" } },
    ]);
    clearTimeout(this.#flashTimer);
    this.#flashTimer = setTimeout(() => this.#flash.clear(), FLASH_MS);
  }

  /** Where the text of the past is seen: alone, or as one side of a comparison. */
  get #visible(): CodeEditor {
    if (this.#diff === null || this.#diffHost.hidden) return this.#editor;
    return this.#other === this.#diff.getModel()?.original ? this.#diff.getModifiedEditor() : this.#diff.getOriginalEditor();
  }

  /** Shows the past beside the present (`live`), or beside the text of the change before. */
  compare(mode: DiffMode, other: Monaco.editor.ITextModel | string | null): void {
    if (mode === "off" || other === null) {
      this.#dropDiff();
      return;
    }
    this.#setOther(other);
    const isNew = this.#diff === null;
    const diff = this.#diff ?? this.#makeDiff();
    const pair =
      mode === "now" ? { original: this.#model, modified: this.#other } : { original: this.#other, modified: this.#model };
    diff.setModel(pair as Monaco.editor.IDiffEditorModel);
    this.#plainHost.hidden = true;
    this.#diffHost.hidden = false;
    diff.layout();
    if (isNew) this.#lookAtDifference(diff);
  }

  /** From where one was to the first difference, unless one is in sight there. */
  #lookAtDifference(diff: Monaco.editor.IStandaloneDiffEditor): void {
    const shown = diff.getModifiedEditor();
    shown.setScrollTop(this.#editor.getScrollTop());
    const first = diff.onDidUpdateDiff(() => {
      first.dispose();
      const seen = shown.getVisibleRanges();
      const isSeen = (line: number): boolean => seen.some((range) => range.startLineNumber <= line && line <= range.endLineNumber);
      const changes = diff.getLineChanges() ?? [];
      if (!changes.some((change) => isSeen(change.modifiedStartLineNumber))) diff.revealFirstDiff();
    });
  }

  #makeDiff(): Monaco.editor.IStandaloneDiffEditor {
    const options = this.#editor.getRawOptions();
    this.#diff = this.monaco.editor.createDiffEditor(this.#diffHost, {
      ...options,
      readOnly: true,
      originalEditable: false,
      automaticLayout: true,
      renderSideBySide: true,
      // White space is text: what a restore would change is shown.
      ignoreTrimWhitespace: false,
      useInlineViewWhenSpaceIsLimited: true,
      renderSideBySideInlineBreakpoint: INLINE_BELOW_PX,
    });
    hideDrawnLines(this.#diff.getOriginalEditor());
    hideDrawnLines(this.#diff.getModifiedEditor());
    this.#listenTo(this.#diff.getOriginalEditor());
    this.#listenTo(this.#diff.getModifiedEditor());
    return this.#diff;
  }

  #setOther(other: Monaco.editor.ITextModel | string): void {
    this.#diff?.setModel(null);
    if (this.#ownsOther) this.#other?.dispose();
    this.#ownsOther = typeof other === "string";
    this.#other = typeof other === "string" ? this.monaco.editor.createModel(other, this.#model.getLanguageId()) : other;
  }

  #dropDiff(): void {
    this.#diffHost.hidden = true;
    this.#plainHost.hidden = false;
    this.#diff?.dispose();
    this.#diff = null;
    if (this.#ownsOther) this.#other?.dispose();
    this.#other = null;
    this.#ownsOther = false;
    this.#editor.layout();
  }

  walkDifferences(direction: "next" | "previous"): void {
    this.#diff?.goToDiff(direction);
  }

  /** Marked stretch of the past text, in UTF-16 units. */
  selection(): { start: number; end: number } | null {
    const editor = this.#visible;
    const selection = editor.getSelection();
    if (selection === null || selection.isEmpty()) return null;
    return {
      start: this.#model.getOffsetAt(selection.getStartPosition()),
      end: this.#model.getOffsetAt(selection.getEndPosition()),
    };
  }

  focus(): void {
    this.#visible.focus();
  }

  dispose(): void {
    clearTimeout(this.#flashTimer);
    this.#dropDiff();
    this.#editor.dispose();
    this.#model.dispose();
    this.#plainHost.remove();
    this.#diffHost.remove();
  }
}

function hostElement(): HTMLElement {
  const element = document.createElement("div");
  element.style.cssText = "position:absolute;inset:0";
  return element;
}
