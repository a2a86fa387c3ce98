import { afterEach, expect, it, vi } from "vitest";
import { isEscFree } from "./esc";

class ToyElement {
  /** Selectors of what it lies in. */
  constructor(private readonly within: readonly string[] = []) {}

  closest(selectors: string): object | null {
    return selectors.split(", ").some((one) => this.within.includes(one)) ? this : null;
  }
}

class ToyField extends ToyElement {}

function page(shown: readonly string[], focused: ToyElement): void {
  vi.stubGlobal("HTMLInputElement", ToyField);
  vi.stubGlobal("HTMLSelectElement", ToyField);
  const querySelector = (selectors: string): object | null => (selectors.split(", ").some((one) => shown.includes(one)) ? {} : null);
  vi.stubGlobal("document", { activeElement: focused, querySelector });
}

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["the text, a card beside it", ["[role=dialog]"], new ToyElement(), true],
  ["a card beside the text", ["[role=dialog]"], new ToyElement(["[role=dialog]"]), false],
  ["the text under a box", ["[role=dialog]", "[role=dialog][aria-modal=true]"], new ToyElement(), false],
  ["the text under a menu", ["[role=menu]"], new ToyElement(), false],
  ["a field", [], new ToyField(), false],
  ["what is found in the text", [], new ToyElement([".find-widget"]), false],
] as const)("Esc with the keyboard in %s", (_, shown, focused, isFree) => {
  page(shown, focused);
  expect(isEscFree()).toBe(isFree);
});
