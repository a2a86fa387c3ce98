/** Reads a long text into Monaco's buffer part by part, so that frames and keys come between. In the editor's chunk. */
import { PieceTreeTextBufferBuilder } from "monaco-editor/editor/common/model/pieceTreeTextBuffer/pieceTreeTextBufferBuilder";

const PART_UNITS = 1_000_000;

/** What `createModel` takes in place of a string. */
export async function readInParts(text: string): Promise<unknown> {
  const builder = new PieceTreeTextBufferBuilder();
  for (let start = 0; start < text.length; start += PART_UNITS) {
    builder.acceptChunk(text.slice(start, start + PART_UNITS));
    await new Promise((resolve) => setTimeout(resolve));
  }
  return builder.finish();
}
