/** One editor on the screen and the file in it. Switching files keeps caret and scroll of each. */
import type { editor as MonacoEditor } from "monaco-editor/editor/editor.api";
import { isApiError, sentenceOf } from "../api/client";
import type { ApiError } from "../api/generated";
import { DisposableStore } from "../base/disposable";
import { Emitter } from "../base/emitter";
import { imageTypeOf } from "../base/imageType";
import { hideDrawnLines } from "../editor/drawnLines";
import type { EditorLink } from "../editor/link";
import type { OpenFile, OpenFiles } from "../editor/models.svelte";
import type { CodeEditor, Monaco, ViewState } from "../editor/monaco";
import type { LargeView } from "./large/largeView.svelte";

export interface Caret {
  line: number;
  column: number;
  /** UTF-16 units selected, over all carets. */
  n_selected: number;
  n_carets: number;
}

export interface Place {
  line: number;
  column?: number;
  /** So much from there is selected, in UTF-16 units. */
  length?: number;
}

const NO_CARET: Caret = { line: 1, column: 1, n_selected: 0, n_carets: 1 };

function asRefusal(cause: unknown): ApiError {
  return isApiError(cause) ? cause : { code: "internal", message: sentenceOf(cause), detail: null };
}

export class Pane {
  editor = $state.raw<CodeEditor | null>(null);
  file = $state.raw<OpenFile | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  /** What shows a file too large to edit, while it does. */
  large = $state.raw<LargeView | null>(null);
  isLoading = $state(false);
  caret = $state.raw<Caret>(NO_CARET);
  /** The keyboard is in the editor, its find box and the like counted. */
  hasFocus = $state(false);
  /** Path being shown or loaded. */
  #path: string | null = null;
  #generation = 0;
  #place: Place | null = null;
  #wantsFocus = false;
  /** What had the focus when the editor was to get it. */
  #focusFrom: Element | null = null;
  /** Where an input method is at work. */
  #composing: EditorLink | null = null;
  readonly #viewStates = new Map<string, ViewState>();
  readonly #changed = new Emitter<void>();
  readonly #focused = new Emitter<void>();
  /** Caret, scroll or file changed: for what is kept between starts. */
  readonly onChanged = this.#changed.on;
  readonly onFocused = this.#focused.on;

  constructor(private readonly openFiles: () => OpenFiles | null) {}

  /** Makes the editor inside `host`; returns what takes it away. */
  attach(monaco: Monaco, host: HTMLElement, options: MonacoEditor.IStandaloneEditorConstructionOptions): () => void {
    const editor = monaco.editor.create(host, { ...options, model: null });
    hideDrawnLines(editor);
    const store = new DisposableStore();
    store.add(editor);
    store.add(editor.onDidChangeCursorSelection(() => this.#readCaret()));
    store.add(editor.onDidScrollChange(() => this.#changed.fire()));
    store.add(editor.onDidFocusEditorText(() => this.#focused.fire()));
    store.add(editor.onDidFocusEditorWidget(() => (this.hasFocus = true)));
    store.add(editor.onDidBlurEditorWidget(() => (this.hasFocus = false)));
    store.add(editor.onDidCompositionStart(() => this.#startComposition()));
    store.add(editor.onDidCompositionEnd(() => this.#endComposition()));
    this.editor = editor;
    this.#putIntoEditor();
    return () => {
      this.#endComposition();
      this.#keepViewState();
      this.editor = null;
      this.hasFocus = false;
      store.dispose();
    };
  }

  #startComposition(): void {
    this.#composing = this.file?.link ?? null;
    this.#composing?.compositionStart();
  }

  // Monaco does not say it of a text that it shows no more.
  #endComposition(): void {
    this.#composing?.compositionEnd();
    this.#composing = null;
  }

  /** Shows a file; null for none. A file that is shown already stays as it is, unless `again`. */
  async show(path: string | null, again = false): Promise<void> {
    if (!again && path === this.#path && this.trouble === null) return;
    if (!again && path !== null && this.file?.path === path) {
      this.#path = path;
      return;
    }
    this.#leave();
    // It was meant in the file that could not be shown.
    if (path !== this.#path) this.#place = null;
    this.#path = path;
    this.trouble = null;
    const files = this.openFiles();
    this.#generation += 1;
    if (path === null || files === null) return;
    await this.#load(path, files, this.#generation);
  }

  async #load(path: string, files: OpenFiles, generation: number): Promise<void> {
    this.isLoading = true;
    try {
      const file = await files.open(path);
      if (generation !== this.#generation) {
        files.release(file);
        return;
      }
      this.file = file;
      this.#putIntoEditor();
    } catch (cause) {
      if (generation !== this.#generation) return;
      this.trouble = asRefusal(cause);
    } finally {
      if (generation === this.#generation) this.isLoading = false;
    }
  }

  #leave(): void {
    this.#endComposition();
    this.#keepViewState();
    const { file } = this;
    this.file = null;
    if (this.editor !== null) this.editor.setModel(null);
    this.caret = NO_CARET;
    if (file !== null) this.openFiles()?.release(file);
  }

  #putIntoEditor(): void {
    const { editor, file } = this;
    if (editor === null || file === null || file.model === null) return;
    if (editor.getModel() !== file.model) editor.setModel(file.model);
    const state = this.#viewStates.get(file.lastPath);
    if (state !== undefined) editor.restoreViewState(state);
    this.#goToPlace();
    this.#readCaret();
    // Hidden until it is drawn with its text, and what is hidden takes no focus.
    this.#takeWantedFocus(() => this.editor?.focus());
  }

  /** There is nothing of it to be seen. Files above a size are not looked into by the engine. */
  get isNoText(): boolean {
    const { file, large } = this;
    return large?.state?.isText === false || (file?.readOnly === "binary" && imageTypeOf(file.lastPath) === null);
  }

  /** A file too large to edit is shown from now on, or no longer. */
  setLarge(view: LargeView | null): void {
    this.large = view;
    if (view === null) return;
    this.#goToPlace();
    this.#takeWantedFocus(() => view.takeFocus?.());
  }

  // Not when the user has gone elsewhere meanwhile.
  #takeWantedFocus(focus: () => void): void {
    const { activeElement } = document;
    const isAsItWas = activeElement === this.#focusFrom || this.#focusFrom?.isConnected === false;
    const isFree = isAsItWas || activeElement === document.body || this.editor?.getDomNode()?.contains(activeElement) === true;
    if (this.#wantsFocus && isFree) setTimeout(focus);
    this.#wantsFocus = false;
  }

  #keepViewState(): void {
    const state = this.editor?.saveViewState();
    if (state != null && this.file !== null && this.editor?.getModel() != null) this.#viewStates.set(this.file.lastPath, state);
  }

  /** Goes to a line of the file that is shown or on its way. */
  goTo(place: Place): void {
    this.#place = place;
    if (this.file !== null && !this.isLoading) this.#goToPlace();
  }

  #goToPlace(): void {
    const place = this.#place;
    const { editor, large } = this;
    if (place !== null && large !== null) {
      this.#place = null;
      large.goToLine(place.line).catch((cause: unknown) => (this.trouble = asRefusal(cause)));
      return;
    }
    if (place === null || editor === null || editor.getModel() === null) return;
    this.#place = null;
    const position = { lineNumber: place.line, column: place.column ?? 1 };
    const model = editor.getModel();
    const end = model?.getPositionAt(model.getOffsetAt(position) + (place.length ?? 0)) ?? position;
    editor.setSelection({ startLineNumber: position.lineNumber, startColumn: position.column, endLineNumber: end.lineNumber, endColumn: end.column });
    editor.revealPositionInCenterIfOutsideViewport(position);
  }

  /** Puts the caret at a place in the text and shows it. UTF-16 units. */
  setCaret(offset: number): void {
    const model = this.editor?.getModel();
    if (model == null || this.editor === null) return;
    const position = model.getPositionAt(offset);
    this.editor.setPosition(position);
    this.editor.revealPositionInCenterIfOutsideViewport(position);
  }

  #readCaret(): void {
    const model = this.editor?.getModel();
    const selections = this.editor?.getSelections() ?? [];
    const [first] = selections;
    if (model == null || first === undefined) return;
    const n_selected = selections.reduce((sum, one) => sum + model.getValueLengthInRange(one), 0);
    const { positionLineNumber: line, positionColumn: column } = first;
    this.caret = { line, column, n_selected, n_carets: selections.length };
    this.#changed.fire();
  }

  /** Puts the caret into the text, at once or as soon as there is one. */
  focus(): void {
    if (this.large !== null) {
      this.large.takeFocus?.();
      return;
    }
    this.#wantsFocus = this.editor?.getModel() == null;
    this.#focusFrom = this.#wantsFocus ? document.activeElement : null;
    if (!this.#wantsFocus) this.editor?.focus();
  }

  /** What is shown by one path is shown by another one from now on, at the same place. */
  renamed(from: string, to: string): void {
    this.#keepViewState();
    const state = this.#viewStates.get(from);
    if (state !== undefined) this.#viewStates.set(to, state);
    this.#viewStates.delete(from);
  }

  /** Caret and scroll of every file seen here, to be kept between starts. */
  saveViewStates(paths: readonly string[]): Record<string, ViewState> {
    this.#keepViewState();
    return Object.fromEntries([...this.#viewStates].filter(([path]) => paths.includes(path)));
  }

  restoreViewStates(states: Record<string, ViewState>): void {
    for (const [path, state] of Object.entries(states)) this.#viewStates.set(path, state);
  }

  /** The frame lets go of this pane for good. */
  dispose(): void {
    this.#generation += 1;
    this.#leave();
    this.#changed.dispose();
    this.#focused.dispose();
  }
}
