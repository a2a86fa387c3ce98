import { PieceTreeTextBufferBuilder } from "monaco-editor/editor/common/model/pieceTreeTextBuffer/pieceTreeTextBufferBuilder";
import { describe, expect, it } from "vitest";
import { type TextBuffer, joinPieces } from "./longLines";
import type { Monaco, TextModel } from "./monaco";
import { ModelSurface } from "./surface";

/** As much of Monaco's own buffer as is looked at. */
interface Buffer extends TextBuffer {
  getPositionAt(offset: number): Position;
  applyEdits(edits: { range: object; text: string }[], trims: boolean, undoes: boolean): unknown;
  createSnapshot(keepsMark: boolean): { read(): string | null };
  getLineCount(): number;
  getLineContent(line: number): string;
}

interface Position {
  lineNumber: number;
  column: number;
}

function bufferOf(text: string): Buffer {
  const builder = new PieceTreeTextBufferBuilder();
  builder.acceptChunk(text);
  return (builder.finish() as { create(endOfLine: number): { textBuffer: Buffer } }).create(1).textBuffer;
}

function wholeOf(snapshot: { read(): string | null }): string {
  const parts: string[] = [];
  for (let part = snapshot.read(); part !== null; part = snapshot.read()) parts.push(part);
  return parts.join("");
}

function piecesOf({ _pieceTree: tree }: Buffer): number {
  let n_pieces = 0;
  tree.iterate(tree.root, ({ piece }) => {
    if (piece !== null) n_pieces += 1;
    return true;
  });
  return n_pieces;
}

function rangeOf(from: Position, to: Position): object {
  return {
    startLineNumber: from.lineNumber,
    startColumn: from.column,
    endLineNumber: to.lineNumber,
    endColumn: to.column,
    isEmpty: () => from.lineNumber === to.lineNumber && from.column === to.column,
    getStartPosition: () => from,
    getEndPosition: () => to,
  };
}

/** A text beside the buffer, each changed like the other. */
class Both {
  readonly buffer: Buffer;
  constructor(public text: string) {
    this.buffer = bufferOf(text);
  }

  splice(start: number, n_deleted: number, inserted: string): void {
    const range = rangeOf(this.buffer.getPositionAt(start), this.buffer.getPositionAt(start + n_deleted));
    this.buffer.applyEdits([{ range, text: inserted }], false, false);
    this.text = this.text.slice(0, start) + inserted + this.text.slice(start + n_deleted);
  }

  check(): void {
    const lines = this.text.split("\n");
    expect(wholeOf(this.buffer.createSnapshot(false)) === this.text).toBe(true);
    expect(this.buffer.getLineCount()).toBe(lines.length);
    lines.forEach((line, index) => expect(this.buffer.getLineContent(index + 1) === line).toBe(true));
  }
}

describe("long lines", () => {
  it("are one piece again however many words were put in, and stay what they are", () => {
    const both = new Both("first\nbegin 😀 end\nlast\n");
    let [n_most, seed] = [0, 7];
    for (let n = 1; n <= 6_000; n += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      const length = both.text.length - "first\n\nlast\n".length;
      const at = "first\n".length + (n % 2 === 0 ? 0 : seed % length);
      both.splice(at, 0, `Asha-${n} `);
      if (n % 3 === 0) both.splice(at, 2, "");
      if (n % 500 === 0) {
        n_most = Math.max(n_most, piecesOf(both.buffer));
        const before = both.buffer.createSnapshot(false);
        joinPieces(both.buffer);
        // What was begun to be read is read to its end.
        expect(wholeOf(before) === both.text).toBe(true);
        both.check();
      }
    }
    expect(n_most).toBeLessThan(2_000);
    expect(piecesOf(both.buffer)).toBeLessThan(20);
    // They are edited on as ever.
    both.splice(3, 9, "x\ny");
    both.splice(both.text.length - 7, 1, "");
    both.check();
  });

  it("leave lines of a few pieces as they are, however many lines there are", () => {
    const both = new Both("line\n".repeat(2_000));
    for (let n = 0; n < 2_000; n += 1) both.splice(n * 6 + 2, 0, "x");
    const n_pieces = piecesOf(both.buffer);
    joinPieces(both.buffer);
    expect(piecesOf(both.buffer)).toBe(n_pieces);
    both.check();
  });

  it("are joined while others write into them", () => {
    const buffer = bufferOf("");
    const model = {
      _buffer: buffer,
      getPositionAt: (offset: number) => buffer.getPositionAt(offset),
      applyEdits: (edits: { range: object; text: string }[]) => buffer.applyEdits(edits, false, false),
    };
    const monaco = { editor: { getEditors: () => [] }, Range: { fromPositions: rangeOf } };
    const surface = new ModelSurface(monaco as unknown as Monaco, model as unknown as TextModel);
    for (let n = 0; n < 4_000; n += 1) surface.apply([[0, 0, `word-${n} `]], "other");
    expect(piecesOf(buffer)).toBeLessThan(1_200);
    expect(buffer.getLineContent(1)).toBe(Array.from({ length: 4_000 }, (_, n) => `word-${3_999 - n} `).join(""));
  });
});
