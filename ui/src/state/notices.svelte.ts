/** Short messages: at most three on the screen, all of them in the list behind the bell. */
import { isApiError, sentenceOf } from "../api/client";

export interface NoticeButton {
  label: string;
  run(): void;
}

export interface NoticeOptions {
  buttons?: NoticeButton[];
  /** Stays until it is closed: for what went wrong. */
  stays?: boolean;
  /** Id of the message or code of the refusal, behind "Details". */
  code?: string | null;
  /** Technical cause, behind "Details". */
  detail?: string | null;
  /** Read out at once instead of politely. */
  isUrgent?: boolean;
}

export interface Notice extends NoticeOptions {
  id: number;
  text: string;
  at_ms: number;
  isOnScreen: boolean;
}

const SHOWN_MAX = 3;
const KEPT_MAX = 100;
const PLAIN_MS = 6_000;
const WITH_BUTTONS_MS = 12_000;

export class Notices {
  /** Oldest first. */
  list = $state.raw<readonly Notice[]>([]);
  n_unseen = $state(0);
  isListOpen = $state(false);
  /** The mouse or the focus is on the toasts: none of them leaves meanwhile. */
  isHeld = $state(false);
  #lastId = 0;

  constructor(
    private readonly now: () => number = Date.now,
    private readonly after: (ms: number, run: () => void) => void = (ms, run) => void setTimeout(run, ms),
  ) {}

  get onScreen(): Notice[] {
    return this.list.filter((notice) => notice.isOnScreen).slice(-SHOWN_MAX);
  }

  toast(text: string, options: NoticeOptions = {}): number {
    this.#lastId += 1;
    const notice: Notice = { ...options, id: this.#lastId, text, at_ms: this.now(), isOnScreen: true };
    // The same sentence again replaces the one on the screen.
    const others = this.list.map((one) => (one.text === text ? { ...one, isOnScreen: false } : one));
    this.list = [...others, notice].slice(-KEPT_MAX);
    if (!this.isListOpen) this.n_unseen += 1;
    const hasButtons = (options.buttons?.length ?? 0) > 0;
    if (options.stays !== true) this.#leaveAfter(notice.id, hasButtons ? WITH_BUTTONS_MS : PLAIN_MS);
    return notice.id;
  }

  /** Says why something could not be done; it stays until it is closed. */
  fail(cause: unknown, options: NoticeOptions = {}): number {
    if (!isApiError(cause)) {
      // A fault of the window itself: its words help nobody but who mends it.
      const text = "This could not be done. Nothing that was saved is lost.";
      return this.toast(text, { stays: true, isUrgent: true, code: "internal", detail: sentenceOf(cause), ...options });
    }
    const { code, detail } = cause;
    return this.toast(sentenceOf(cause), { stays: true, isUrgent: true, code, detail, ...options });
  }

  #leaveAfter(id: number, ms: number): void {
    this.after(ms, () => {
      if (this.isHeld) this.#leaveAfter(id, 1_000);
      else this.close(id);
    });
  }

  /** Takes it from the screen; it stays in the list. */
  close(id: number): void {
    this.list = this.list.map((notice) => (notice.id === id ? { ...notice, isOnScreen: false } : notice));
    this.#letGo();
  }

  /** A card that goes away under the mouse or with the focus says no goodbye: the others must not stay for ever. */
  #letGo(): void {
    this.isHeld = false;
  }

  /** Presses a button of it: a button counts once. */
  press(notice: Notice, button: NoticeButton): void {
    this.list = this.list.map((one) => (one.id === notice.id ? { ...one, isOnScreen: false, buttons: [] } : one));
    this.#letGo();
    button.run();
  }

  /** The workspace that they speak of goes away: they can be read, but what their buttons would do is for no other. */
  leaveWorkspace(): void {
    this.list = this.list.map((notice) => ({ ...notice, isOnScreen: false, buttons: [] }));
    this.#letGo();
  }

  toggleList(): void {
    this.isListOpen = !this.isListOpen;
    if (this.isListOpen) this.n_unseen = 0;
  }

  clear(): void {
    this.list = [];
    this.n_unseen = 0;
  }
}
