/**
 * Lines that are put together of many edits. Monaco keeps what each edit puts in as a piece of its own, and goes over all pieces of a
 * line to read it, or one letter of it: with 24,000 words put into one line, that takes milliseconds for each caret there. So pieces
 * of one line are made one now and then. The text stays what it is, and nobody hears of it.
 */
import type { TextModel } from "./monaco";

/** So many pieces of one line may stand side by side. */
const PIECES_MAX = 500;
/** The longer they are together, the more: what is joined is kept twice for as long as the model is there. */
const UNITS_PER_PIECE_MAX = 1_024;

interface Piece {
  lineFeedCnt: number;
  length: number;
}

/** What Monaco 0.57 keeps a text in and does not say in its types. */
export interface TextBuffer {
  _pieceTree: {
    root: unknown;
    /** Meets what stands for the end of a branch, too: it has no piece. */
    iterate(from: unknown, visit: (node: { piece: Piece | null }) => boolean): boolean;
    getPieceContent(piece: Piece): string;
    delete(offset: number, n_units: number): void;
    insert(offset: number, text: string, hasItsLineEnds: boolean): void;
  };
}

export function joinLines(model: TextModel): void {
  joinPieces((model as TextModel & { _buffer: TextBuffer })._buffer);
}

/** Makes each line one piece again that has come to be many. */
export function joinPieces({ _pieceTree: tree }: TextBuffer): void {
  const lines: { start: number; text: string }[] = [];
  let [start, offset] = [0, 0];
  let pieces: Piece[] = [];
  const endLine = (): void => {
    const isMany = pieces.length > Math.max(PIECES_MAX, (offset - start) / UNITS_PER_PIECE_MAX);
    if (isMany) lines.push({ start, text: pieces.map((piece) => tree.getPieceContent(piece)).join("") });
    pieces = [];
  };
  tree.iterate(tree.root, ({ piece }) => {
    if (piece === null) return true;
    if (piece.lineFeedCnt > 0) endLine();
    else if (pieces.push(piece) === 1) start = offset;
    offset += piece.length;
    return true;
  });
  endLine();
  for (const line of lines) {
    tree.delete(line.start, line.text.length);
    tree.insert(line.start, line.text, true);
  }
}
