/**
 * Others' changes leave what a person looks at and has selected where it is: the first line on the screen stays the
 * first, and text put in at the edge of a selection does not become part of it. Never touches the text.
 */
import type * as MonacoNamespace from "monaco-editor/editor/editor.api";
import type { Splice } from "../api/generated";
import type { Monaco, TextModel } from "./monaco";

type Editor = MonacoNamespace.editor.ICodeEditor;

/** Applies a change of others by `run` in every editor that shows the text. Each splice counts after those before it. */
export function steadily(monaco: Monaco, model: TextModel, splices: readonly Splice[], run: () => void): void {
  const editors = monaco.editor.getEditors().filter((editor) => editor.getModel() === model);
  const steady = editors.flatMap((editor) => [holdScroll(editor, model, splices), holdSelections(monaco, editor, model, splices)]);
  run();
  for (const again of steady) again();
}

const NOTHING = (): void => undefined;

function holdScroll(editor: Editor, model: TextModel, splices: readonly Splice[]): () => void {
  const line = editor.getVisibleRanges()[0]?.startLineNumber;
  const scrollTop = editor.getScrollTop();
  if (line === undefined || scrollTop <= 0) return NOTHING;
  const offset = model.getOffsetAt({ lineNumber: line, column: 1 });
  if (splices.every(([position]) => position > offset)) return NOTHING;
  const hidden_px = scrollTop - editor.getTopForLineNumber(line);
  return () => {
    const now = model.getPositionAt(startAfter(splices, offset)).lineNumber;
    const top = editor.getTopForLineNumber(now) + hidden_px;
    if (top !== editor.getScrollTop()) editor.setScrollTop(top, 1);
  };
}

function holdSelections(monaco: Monaco, editor: Editor, model: TextModel, splices: readonly Splice[]): () => void {
  const before = editor.getSelections() ?? [];
  if (before.every((one) => one.isEmpty())) return NOTHING;
  const kept = before.map((one) => {
    const [start, end] = [model.getOffsetAt(one.getStartPosition()), model.getOffsetAt(one.getEndPosition())];
    return { start: startAfter(splices, start), end: endAfter(splices, end), direction: one.getDirection(), isEmpty: one.isEmpty() };
  });
  return () => {
    const now = editor.getSelections() ?? [];
    const wanted = kept.map(({ start, end, direction, isEmpty }, index) => {
      const is = now[index];
      if (isEmpty && is !== undefined) return is;
      const range = monaco.Range.fromPositions(model.getPositionAt(start), model.getPositionAt(Math.max(start, end)));
      return monaco.Selection.fromRange(range, direction);
    });
    const isAsWanted = wanted.length === now.length && wanted.every((one, index) => now[index] !== undefined && one.equalsSelection(now[index]));
    if (!isAsWanted) editor.setSelections(wanted);
  };
}

/** Where a place is afterwards: right of what is put in there. */
export function startAfter(splices: readonly Splice[], offset: number): number {
  let at = offset;
  for (const [position, deleted, inserted] of splices) {
    if (position > at) continue;
    at = position + deleted <= at ? at + inserted.length - deleted : position + inserted.length;
  }
  return at;
}

/** Where a place is afterwards: left of what is put in there. */
export function endAfter(splices: readonly Splice[], offset: number): number {
  let at = offset;
  for (const [position, deleted, inserted] of splices) {
    if (position >= at) continue;
    at = position + deleted <= at ? at + inserted.length - deleted : position;
  }
  return at;
}
