/** Of Monaco 0.57, which has no types for it: the reader that its models are made with. */
declare module "monaco-editor/editor/common/model/pieceTreeTextBuffer/pieceTreeTextBufferBuilder" {
  export class PieceTreeTextBufferBuilder {
    /** A `\r` or half a surrogate pair at its end waits for the next. */
    acceptChunk(chunk: string): void;
    finish(): unknown;
  }
}
