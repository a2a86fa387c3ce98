/** Places of the frame that features fill. The frame renders them; it never knows which feature it was. */
import type { Component } from "svelte";
import type { Pane } from "./pane.svelte";

/** A component and what it is given. `props` is called while rendering, so state read in it stays live. */
export interface Filling {
  // A slot takes components of any props; the one who fills it knows both.
  component: Component<Record<string, unknown>>;
  props: () => Record<string, unknown>;
}

/** What lies over the live text at times; then the text under it takes no keys. */
export interface Cover extends Filling {
  /** It hides the text now. Called while rendering. */
  isOn: () => boolean;
  focus: () => void;
}

export interface SideView {
  id: string;
  title: string;
  /** Name of a codicon. */
  icon: string;
  filling: Filling;
}

export interface RightView extends SideView {
  /** Number on the button in the activity bar; 0 for none. Called while rendering. */
  badge: () => number;
  /** Whether there is a button for it now. Called while rendering. */
  isOffered: () => boolean;
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
  overEditor = $state.raw<Cover | null>(null);
  /** What lies over every pane, by pane and the id of its group; asked for once a pane. */
  overPanes = $state.raw<((pane: Pane, groupId: number) => Filling) | null>(null);
  sideViews = $state.raw<SideView[]>([]);
  /** Views at the right; none shows itself. */
  rightViews = $state.raw<RightView[]>([]);
  pages = $state.raw<PageKind[]>([]);
  /** Above everything: dialogs of features. */
  overlays = $state.raw<Filling[]>([]);

  addSideView(view: SideView): void {
    this.sideViews = [...this.sideViews, view];
  }

  addRightView(view: RightView): void {
    this.rightViews = [...this.rightViews, view];
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
