/** Settings as somebody writes them by hand: what differs, what could be read, what was left out. */

/** The fields that are not as they came. */
export function differing<T extends object>(now: T, before: T): Partial<T> {
  const changed = Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key as keyof T]));
  return Object.fromEntries(changed) as Partial<T>;
}

/** The object that was written; null while it is none. */
export function parsed(written: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(written.trim() === "" ? "{}" : written);
    return value instanceof Object && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    // Half-typed text is no JSON: the page says so while it is typed.
    return null;
  }
}

/** Names that were written and are not among what was taken. */
export function leftOut(written: Record<string, unknown>, taken: object): string[] {
  return Object.keys(written).filter((key) => !(key in taken));
}
