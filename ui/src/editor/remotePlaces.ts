/** Where the marks of other people go in a text: pure rules, without an editor. */

/** Somebody whose caret is shown. */
export interface RemotePerson {
  device: string;
  name: string;
  initials: string;
  /** Index into the author colours. */
  color: number;
  /** How many people before this one have the same colour: then a pattern tells them apart. */
  pattern: number;
}

/** When names stand beside carets. */
export type FlagMode = "activity" | "always" | "never";

/** A caret that is not on the screen. */
export interface OffScreen {
  person: RemotePerson;
  line: number;
}

export interface OffScreenPlaces {
  /** The nearest first. */
  above: OffScreen[];
  below: OffScreen[];
}

/** Whether a name may stand beside a caret: it takes the line above or below, and never the one that is typed in here. */
export function hasRoomForFlag(line: number, ownLines: readonly number[]): boolean {
  return ownLines.every((own) => Math.abs(own - line) > 1);
}

/** So many letters the initials of a name are wide. */
const INITIALS_COLUMNS = 4;

/** Whether initials over a column of this line would hide something written there. */
export function wouldHideText(line: string, column: number): boolean {
  return line.slice(column - 1, column - 1 + INITIALS_COLUMNS).trim() !== "";
}

/** Whose caret is above the first line on the screen, and whose is below the last. */
export function offScreenPlaces(places: readonly OffScreen[], first: number, last: number): OffScreenPlaces {
  const above = places.filter(({ line }) => line < first).sort((a, b) => b.line - a.line);
  const below = places.filter(({ line }) => line > last).sort((a, b) => a.line - b.line);
  return { above, below };
}

/** Of people in a fixed order, how many before each have the same colour. */
export function patternOf(colours: readonly number[], index: number): number {
  const own = (colours[index] ?? 0) % 8;
  return colours.slice(0, index).filter((one) => one % 8 === own).length;
}
