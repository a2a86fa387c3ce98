/** What a menu shows, and the one context menu that can be open. */

export interface MenuItem {
  kind: "item";
  id: string;
  label: string;
  /** Shown at the right. */
  keys?: string | null;
  isEnabled: boolean;
  isChecked?: boolean;
  run(): void;
}

/** Opens further entries beside it. */
export interface SubMenu {
  kind: "sub";
  id: string;
  label: string;
  isEnabled: boolean;
  entries: readonly MenuEntry[];
}

export type MenuEntry = MenuItem | SubMenu | { kind: "line" };

class ContextMenu {
  open = $state.raw<{ x: number; y: number; entries: readonly MenuEntry[]; label: string } | null>(null);
  #returnTo: HTMLElement | null = null;

  /** At a place on the screen, in CSS pixels. */
  show(x: number, y: number, label: string, entries: readonly MenuEntry[]): void {
    this.#returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.open = { x, y, entries, label };
  }

  close(): void {
    if (this.open === null) return;
    this.open = null;
    this.#returnTo?.focus();
  }
}

export const contextMenu = new ContextMenu();
