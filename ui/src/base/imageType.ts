/** Pictures that the window can draw by itself: their media type by their ending. */
import { baseName } from "./paths";

const TYPES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  svg: "image/svg+xml",
  webp: "image/webp",
  bmp: "image/bmp",
  ico: "image/x-icon",
};

/** Null for anything that is no picture. */
export function imageTypeOf(path: string): string | null {
  const name = baseName(path);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? null : (TYPES[name.slice(dot + 1).toLowerCase()] ?? null);
}
