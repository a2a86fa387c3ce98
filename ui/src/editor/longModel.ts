/**
 * Long texts: what Monaco does with the whole of a text at once would stop the page, so it is left out or done in parts.
 * Must never change what is in the text.
 */
import type { TextModel } from "./monaco";

/** Above this, helpers that go over the whole text are left out. */
export const LONG_UNITS = 2_000_000;
/** Above this, a text is shown as it is: no colours, nothing wrapped. */
const PLAIN_UNITS = 10_000_000;

/** What Monaco asks its models and does not say in its types (0.57). */
interface Limits {
  isTooLargeForSyncing(): boolean;
  isTooLargeForTokenization(): boolean;
}

/** What a model is made of: the text, or a long one already read. */
export async function sourceOf(text: string): Promise<string> {
  if (text.length <= LONG_UNITS) return text;
  // Monaco's own code, which only the editor's chunk has.
  const { readInParts } = await import("./textParts");
  return (await readInParts(text)) as string;
}

/** Monaco's own bounds are for the desktop: a copy for its worker alone takes most of a second at 20 million characters. */
export function spare(model: TextModel): void {
  const n_units = model.getValueLength();
  const limits = model as TextModel & Limits;
  if (n_units > LONG_UNITS) limits.isTooLargeForSyncing = () => true;
  if (n_units > PLAIN_UNITS) limits.isTooLargeForTokenization = () => true;
}
