/** Names in messages, "@Bo": found where they stand, and completed where one is begun. Pure. */

export interface Piece {
  text: string;
  /** The name that is meant, where it is one. */
  name: string | null;
}

const WORD = /[\p{L}\p{N}_]/u;
const OFFERED_MAX = 6;
const TYPED_MAX = 40;

const isWord = (text: string, at: number): boolean => WORD.test(text.charAt(at));

/** A message in pieces. A name counts after an "@" that no word runs into; of two that fit, the longer. */
export function piecesOf(text: string, names: readonly string[]): Piece[] {
  const longestFirst = names.toSorted((a, b) => b.length - a.length);
  const pieces: Piece[] = [];
  let plain = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    const name = isWord(text, at - 1) ? undefined : longestFirst.find((one) => one !== "" && isNamedAt(text, at + 1, one));
    if (name === undefined) continue;
    if (at > plain) pieces.push({ text: text.slice(plain, at), name: null });
    plain = at + 1 + name.length;
    pieces.push({ text: text.slice(at, plain), name });
    at = plain - 1;
  }
  if (plain < text.length) pieces.push({ text: text.slice(plain), name: null });
  return pieces;
}

function isNamedAt(text: string, at: number, name: string): boolean {
  return text.slice(at, at + name.length).toLowerCase() === name.toLowerCase() && !isWord(text, at + name.length);
}

/** Somebody by the names that they go by: two of the same name have one more each, and are both meant by the plain one. */
interface Called {
  names: readonly string[];
}

export function isNamed(text: string, { names: own }: Called, all: readonly string[]): boolean {
  return piecesOf(text, all).some((piece) => piece.name !== null && own.includes(piece.name));
}

/** What is typed of a name left of the caret, and where its "@" stands. */
export function begunAt(text: string, caret: number): { from: number; typed: string } | null {
  const from = text.lastIndexOf("@", caret - 1);
  if (from < 0 || from >= caret || isWord(text, from - 1)) return null;
  const typed = text.slice(from + 1, caret);
  return typed.length > TYPED_MAX || typed.includes("\n") ? null : { from, typed };
}

/** The names of which some word begins with what is typed; those that begin with it themselves first. */
export function offered(typed: string, names: readonly string[]): string[] {
  const low = typed.toLowerCase();
  // A whole name and a space: it is done, and Enter is for the message.
  if (low.endsWith(" ") && names.some((name) => name.toLowerCase() === low.trimEnd())) return [];
  const begins = names.filter((name) => name.toLowerCase().startsWith(low));
  const within = names.filter((name) => !begins.includes(name) && name.toLowerCase().split(/\s+/).some((word) => word.startsWith(low)));
  return [...begins, ...within].slice(0, OFFERED_MAX);
}
