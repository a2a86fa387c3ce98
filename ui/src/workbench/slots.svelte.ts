/** Places of the frame that features fill. The frame renders them; it never knows which feature it was. */
import type { Component } from "svelte";

/** A component and what it is given. `props` is called while rendering, so state read in it stays live. */
export interface Filling {
  // A slot takes components of any props; the one who fills it knows both.
  component: Component<Record<string, unknown>>;
  props: () => Record<string, unknown>;
}

export interface SideView {
  id: string;
  title: string;
  /** Name of a codicon. */
  icon: string;
  filling: Filling;
}

export interface PageKind {
  /** A tab with the path `page:<id>` shows this. */
  id: string;
  title: string;
  icon: string;
  filling: Filling;
}

/** Keeps the props of a component checked where the slot is filled. */
export function fill<P extends Record<string, unknown>>(component: Component<P>, props: () => P): Filling {
  return { component: component as unknown as Component<Record<string, unknown>>, props };
}

class Slots {
  /** The strip between the work and the status bar (the timeline). */
  strip = $state.raw<Filling | null>(null);
  /** The page without a workspace. */
  welcome = $state.raw<Filling | null>(null);
  /** What lies over the live text of the active pane; null for nothing. Fill it to enter, clear it to leave. */
  overEditor = $state.raw<Filling | null>(null);
  sideViews = $state.raw<SideView[]>([]);
  pages = $state.raw<PageKind[]>([]);
  /** Above everything: dialogs of features. */
  overlays = $state.raw<Filling[]>([]);

  addSideView(view: SideView): void {
    this.sideViews = [...this.sideViews, view];
  }

  addPage(page: PageKind): void {
    this.pages = [...this.pages, page];
  }

  addOverlay(filling: Filling): void {
    this.overlays = [...this.overlays, filling];
  }
}

export type { Slots };
export const slots = new Slots();
