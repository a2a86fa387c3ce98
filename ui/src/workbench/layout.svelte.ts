/** Sizes and what is shown of the frame. Owned by the window, kept with the workspace. */

export interface SavedLayout {
  sideWidth_px: number;
  isSideShown: boolean;
  sideView: string;
  rightWidth_px?: number;
  isRightShown?: boolean;
  rightView?: string;
}

/** A window with less room, such as one that is zoomed in, leaves out what can be reached otherwise. */
export const NARROW_PX = 600;

const SIDE_MIN_PX = 170;
const SIDE_MAX_PX = 640;
const RIGHT_MIN_PX = 240;

export class Layout {
  sideWidth_px = $state(260);
  isSideShown = $state(true);
  /** Id of the side view that is shown, or was last. */
  sideView = $state("explorer");
  rightWidth_px = $state(300);
  /** Nothing but the person at this window shows it. */
  isRightShown = $state(false);
  rightView = $state("");
  /** The dialog or list that floats over everything, by name. */
  quickPick = $state<"files" | "commands" | "line" | "language" | "tabs" | "switch" | "theme" | "saveAs" | "encoding" | "lineEnd" | "recent" | null>(null);
  /** Ctrl is down: letting it go ends the switching of tabs. */
  isCtrlHeld = false;
  isAboutShown = $state(false);
  /** What stands behind the pill in the status bar. */
  isSyncShown = $state(false);
  isZen = $state(false);
  /** Tab moves the focus instead of indenting (Ctrl+M). */
  isTabMovingFocus = $state(false);
  /** "125 %" for a second after zooming. */
  zoomFlash = $state<string | null>(null);
  /** A short sentence in the status bar, such as "Saved 15:04:22". */
  flash = $state<string | null>(null);
  #flashTimer: ReturnType<typeof setTimeout> | undefined;
  #zoomTimer: ReturnType<typeof setTimeout> | undefined;

  setSideWidth(width_px: number): void {
    this.sideWidth_px = Math.round(Math.max(SIDE_MIN_PX, Math.min(SIDE_MAX_PX, width_px)));
  }

  /** Shows a side view; the one that is shown already is hidden. */
  toggleSideView(id: string): void {
    if (this.isSideShown && this.sideView === id) this.isSideShown = false;
    else this.showSideView(id);
  }

  showSideView(id: string): void {
    this.sideView = id;
    this.isSideShown = true;
  }

  setRightWidth(width_px: number): void {
    this.rightWidth_px = Math.round(Math.max(RIGHT_MIN_PX, Math.min(SIDE_MAX_PX, width_px)));
  }

  /** Shows a view at the right; the one that is shown already is hidden. */
  toggleRightView(id: string): void {
    if (this.isRightShown && this.rightView === id) this.isRightShown = false;
    else this.showRightView(id);
  }

  showRightView(id: string): void {
    this.rightView = id;
    this.isRightShown = true;
  }

  say(sentence: string, for_ms = 2_000): void {
    this.flash = sentence;
    clearTimeout(this.#flashTimer);
    this.#flashTimer = setTimeout(() => (this.flash = null), for_ms);
  }

  showZoom(percent: number): void {
    this.zoomFlash = `${percent} %`;
    clearTimeout(this.#zoomTimer);
    this.#zoomTimer = setTimeout(() => (this.zoomFlash = null), 1_000);
  }

  save(): SavedLayout {
    return {
      sideWidth_px: this.sideWidth_px,
      isSideShown: this.isSideShown,
      sideView: this.sideView,
      rightWidth_px: this.rightWidth_px,
      isRightShown: this.isRightShown,
      rightView: this.rightView,
    };
  }

  restore(saved: SavedLayout): void {
    this.setSideWidth(saved.sideWidth_px);
    this.isSideShown = saved.isSideShown;
    this.sideView = saved.sideView;
    if (saved.rightWidth_px !== undefined) this.setRightWidth(saved.rightWidth_px);
    this.isRightShown = saved.isRightShown === true;
    this.rightView = saved.rightView ?? "";
  }
}
