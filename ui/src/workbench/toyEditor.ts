/** For tests: just enough of Monaco's editor for a pane, without a page. */
import { Emitter } from "../base/emitter";
import type { Monaco } from "../editor/monaco";

interface Spot {
  lineNumber: number;
  column: number;
}

/** A text of one line: an offset and a column differ by one. */
export class ToyModel {
  constructor(public text = "") {}

  getPositionAt(offset: number): Spot {
    return { lineNumber: 1, column: offset + 1 };
  }

  getOffsetAt({ column }: Spot): number {
    return column - 1;
  }

  getValueLengthInRange({ startColumn, endColumn }: { startColumn: number; endColumn: number }): number {
    return endColumn - startColumn;
  }

  getValueInRange({ startColumn, endColumn }: { startColumn: number; endColumn: number }): string {
    return this.text.slice(startColumn - 1, endColumn - 1);
  }

  getLineContent(): string {
    return this.text;
  }
}

export class ToyEditor {
  model: ToyModel | null = null;
  /** The caret, as an offset, and how much from there is marked. */
  caret = 0;
  n_marked = 0;
  /** What was cut, and what was pasted. */
  readonly acts: string[] = [];
  n_focused = 0;
  readonly composition = { start: new Emitter<void>(), end: new Emitter<void>() };
  readonly onDidCompositionStart = this.composition.start.on;
  readonly onDidCompositionEnd = this.composition.end.on;
  readonly onDidChangeCursorSelection = new Emitter<void>().on;
  readonly onDidScrollChange = new Emitter<void>().on;
  readonly onDidFocusEditorText = new Emitter<void>().on;
  readonly onDidFocusEditorWidget = new Emitter<void>().on;
  readonly onDidBlurEditorWidget = new Emitter<void>().on;

  getModel(): ToyModel | null {
    return this.model;
  }

  setModel(model: ToyModel | null): void {
    this.model = model;
    this.caret = 0;
  }

  getDomNode(): null {
    return null;
  }

  getSelections(): object[] {
    const column = this.caret + 1;
    const spot = { startLineNumber: 1, startColumn: column, endLineNumber: 1, endColumn: column + this.n_marked, positionLineNumber: 1, positionColumn: column };
    return [{ ...spot, isEmpty: () => this.n_marked === 0 }];
  }

  setSelection({ startColumn }: { startColumn: number }): void {
    this.caret = startColumn - 1;
  }

  hasTextFocus(): boolean {
    return true;
  }

  executeEdits(source: string, edits: { range: { startColumn: number; endColumn: number } }[]): void {
    for (const { range } of edits) this.acts.push(`${source} ${range.startColumn - 1}..${range.endColumn - 1}`);
  }

  trigger(_source: string, action: string, { text }: { text: string }): void {
    this.acts.push(`${action} ${text}`);
  }

  setPosition({ column }: Spot): void {
    this.caret = column - 1;
  }

  saveViewState(): object {
    return {};
  }

  restoreViewState(): void {
    // It has none.
  }

  revealPositionInCenterIfOutsideViewport(): void {
    // Nothing of it is seen.
  }

  focus(): void {
    this.n_focused += 1;
  }

  dispose(): void {
    this.model = null;
  }

  /** What a pane makes its editor with. */
  get asMonaco(): Monaco {
    return { editor: { create: () => this } } as unknown as Monaco;
  }
}
