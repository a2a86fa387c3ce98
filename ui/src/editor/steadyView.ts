/**
 * Others' changes leave what a person looks at and has selected where it is: the first line on the screen stays the
 * first, text put in at the edge of a selection does not become part of it, and what is put in just where a person
 * types does not come between the letters of a word. Never touches the text.
 */
import type * as MonacoNamespace from "monaco-editor/editor/editor.api";
import type { Splice } from "../api/generated";
import { linesOf } from "./changeset";
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
  const kept = before.map((one) => {
    const [start, end] = [model.getOffsetAt(one.getStartPosition()), model.getOffsetAt(one.getEndPosition())];
    if (!one.isEmpty()) return { start: startAfter(splices, start), end: endAfter(splices, end), direction: one.getDirection() };
    const caret = caretAfter(splices, end, one.startColumn === 1);
    return caret === null ? null : { start: caret, end: caret, direction: one.getDirection() };
  });
  if (kept.every((one) => one === null)) return NOTHING;
  return () => {
    const now = editor.getSelections() ?? [];
    const wanted = kept.flatMap((one, index) => {
      if (one === null) return now[index] ?? [];
      const range = monaco.Range.fromPositions(model.getPositionAt(one.start), model.getPositionAt(Math.max(one.start, one.end)));
      return monaco.Selection.fromRange(range, one.direction);
    });
    const isAsWanted = wanted.length === now.length && wanted.every((one, index) => now[index] !== undefined && one.equalsSelection(now[index]));
    if (!isAsWanted) editor.setSelections(wanted);
  };
}

/**
 * Where a caret stays at which something is put in: behind the letter that it stood behind, so that a word goes on as one.
 * At the start of a line it goes along with the line when lines are put in before it; but not behind a word that somebody
 * begins there, whose next letters are still to come. Null when nothing is put in just there, or what it stands in is replaced.
 */
export function caretAfter(splices: readonly Splice[], offset: number, isAtLineStart: boolean): number | null {
  let [at, isMet] = [offset, false];
  for (const [position, deleted, inserted] of splices) {
    if (position > at) continue;
    if (position === at) {
      isMet ||= inserted.length > 0;
      if (isAtLineStart && deleted === 0) at += linesOf(inserted);
    } else if (position + deleted > at) return null;
    else at += inserted.length - deleted;
  }
  return isMet ? at : null;
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
