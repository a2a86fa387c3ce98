/**
 * The view's half of the editor link (DESIGN §9): what is typed here goes to the engine, what others
 * do comes back, and both ends hold the same text. Must never know Monaco, Tauri or a document model.
 *
 * THE RULE, the same on both sides:
 *  1. The engine counts a revision per view. Each `viewPatch` and each `viewAck` raises it by exactly 1.
 *     Anything else is a gap; a gap asks for a snapshot.
 *  2. A message (one `ViewEdit`, one `ViewPatch`) is one changeset in the canonical form of
 *     `changeset.ts`: at one place the insert stands left of the delete. Messages stay apart, they are
 *     never merged with each other: who merges two of them decides ties differently.
 *  3. A patch meets the pending edits one after the other, oldest first. Each meeting is one
 *     `transform(patch, edit)`, and BOTH results replace what they came from, in canonical form.
 *     The engine does the same the other way round: an arriving edit meets, oldest first, the patches
 *     it sent to this view above `baseRevision`, and each of them is replaced by its result.
 *  4. In a transform the engine's insert, up to its last line end, stands left of the view's at the same place,
 *     and what is behind that line end right of it. If the view's message says `staysLeft`, all of it stands right:
 *     it was typed behind a letter of its line. So a caret stays, too (`steadyView.ts`): nobody's word is parted.
 *     What both delete is deleted once; an insert strictly inside what the other deletes survives there; an insert
 *     at the edge of it stays outside.
 *  5. The newest pending edit may still be *unsent* (IME composition, half a surrogate pair, waiting for a
 *     snapshot). It takes part in rule 3 like the others and leaves as one message, with the revision
 *     reached by then.
 *  6. A snapshot starts over: the view leads its pending edits over the difference and sends those that the
 *     snapshot does not contain again, with their old request ids and the snapshot's revision as base. So
 *     the engine passes over an edit whose request id it has applied already, and over one whose base is
 *     older than the newest snapshot it sent (the same edit is on its way again, better based). An edit
 *     that is out of order or does not fit is answered by a snapshot.
 *  7. After asking for a snapshot the view sends nothing until it is there. An engine that answers the same
 *     edits with snapshots again and again cannot take them (disk full): the view keeps them and tries again
 *     with the next key, or when `retry` is called.
 */
import type { PatchSource, Splice, ViewEdit, ViewPatch, ViewSnapshot } from "../api/generated";
import {
  type Changeset,
  EMPTY,
  Crc32c,
  applyTo,
  compose,
  difference,
  fromSplices,
  growth,
  isWellFormed,
  minimised,
  placeAfter,
  reach,
  toSplices,
  transform,
  wellFormed,
} from "./changeset";

export interface LinkPort {
  edit(edit: ViewEdit): void;
  resync(): void;
}

/** A text as it was at one moment, in parts; null at its end. Costs nothing until it is read. */
export interface TextSnapshot {
  read(): string | null;
}

export interface TextSurface {
  snapshot(): TextSnapshot;
  /** Each position counts in the text after the splices before it. Must not come back as `localEdit`. */
  apply(splices: Splice[], source: PatchSource): void;
  replaceAll(text: string): void;
}

interface SentEdit {
  requestId: number;
  change: Changeset;
  staysLeft: boolean;
}

/** So many snapshots in a row that contain nothing new mean that the engine cannot take the edits now. */
const VAIN_SNAPSHOTS_MAX = 3;

/**
 * The base text is kept as a text and a changeset over it; longer changesets are worked in. The longer the text, the
 * more that costs, and the rarer it is done.
 */
const BASE_OPS_MAX = 64;
const BASE_UNITS_PER_OP = 4_096;

/** So much of a text is checked at once; keys and frames come between. */
const CHECKED_UNITS = 128 * 1024;

export class EditorLink {
  readonly #port: LinkPort;
  readonly #surface: TextSurface;
  #revision: number;
  /** The engine's text at `#revision` is `#baseText` with `#baseChange` applied. */
  #baseText: string;
  #baseChange: Changeset = EMPTY;
  #baseLength: number;
  #sent: SentEdit[] = [];
  #unsent: Changeset = EMPTY;
  #unsentStaysLeft = false;
  #lastRequestId = 0;
  #composing = false;
  /** The text when the composition began, to see what it really changed. */
  #composedOver: TextSnapshot | null = null;
  /** What the engine said during a composition: applying it then would break the composition. */
  #heldMessages: (() => void)[] = [];
  #awaitsSnapshot = false;
  #n_vainSnapshots = 0;
  #halfPairWaits = false;
  /** A checksum is being worked out; the text may go on meanwhile. */
  #isChecking = false;
  #n_snapshots = 0;
  #disposed = false;

  constructor(port: LinkPort, surface: TextSurface, revision: number, text: string) {
    this.#port = port;
    this.#surface = surface;
    this.#revision = revision;
    this.#baseText = text;
    this.#baseLength = text.length;
  }

  /** True while something typed here is not yet known to be in the engine. */
  get hasPending(): boolean {
    return this.#sent.length > 0 || this.#unsent.length > 0;
  }

  get revision(): number {
    return this.#revision;
  }

  /** An input method is at work; what the engine says waits. */
  get isComposing(): boolean {
    return this.#composing;
  }

  /** Where a place of the engine's text, as far as it was told here, is on the surface. */
  placeOnSurface(position: number): number {
    const sent = this.#sent.reduce((at, edit) => placeAfter(edit.change, at), position);
    return placeAfter(this.#unsent, sent);
  }

  /** Does something that was told in one order with the engine's patches: after those before it were applied. */
  inOrder(run: () => void): void {
    this.#receive(run);
  }

  /**
   * What the surface has just done to its text by its user. It stays left of what others put in at the same place when
   * all of it was typed behind a letter of its line.
   */
  localEdit(splices: Splice[], staysLeft: boolean): void {
    if (this.#disposed || splices.length === 0) return;
    const change = fromSplices(splices);
    this.#unsentStaysLeft = staysLeft && (this.#unsent.length === 0 || this.#unsentStaysLeft);
    this.#unsent = this.#unsent.length === 0 ? change : compose(this.#unsent, change);
    if (this.#isStalled) this.#askForSnapshot();
    else this.#sendUnsent();
  }

  compositionStart(): void {
    if (this.#disposed || this.#composing) return;
    this.#composing = true;
    this.#composedOver = this.#unsent.length === 0 ? this.#surface.snapshot() : null;
  }

  compositionEnd(): void {
    if (!this.#composing) return;
    this.#composing = false;
    if (this.#composedOver !== null && hasReplacement(this.#unsent)) this.#unsent = minimised(this.#unsent, wholeOf(this.#composedOver));
    this.#composedOver = null;
    this.#sendUnsent();
    const held = this.#heldMessages;
    this.#heldMessages = [];
    for (const message of held) message();
  }

  /** An edit could not be handed over, or the engine can take edits again: make sure that all get there. */
  retry(): void {
    if (!this.#disposed && this.hasPending) this.#askForSnapshot();
  }

  /** The engine did not take an edit. However many it refuses: one question for the whole text, after which all go again, some times. */
  onRefused(): void {
    if (this.#disposed || this.#awaitsSnapshot || this.#isStalled) return;
    this.#awaitsSnapshot = true;
    this.#port.resync();
  }

  /** The question for the whole text was not answered: the next one is asked again. */
  onSnapshotRefused(): void {
    this.#awaitsSnapshot = false;
  }

  onAck(requestId: number, revision: number): void {
    this.#receive(() => {
      if (this.#awaitsSnapshot) return;
      const oldest = this.#sent[0];
      if (revision !== this.#revision + 1 || oldest?.requestId !== requestId) {
        this.#askForSnapshot();
        return;
      }
      this.#sent.shift();
      this.#n_vainSnapshots = 0;
      this.#revision = revision;
      this.#advanceBase(oldest.change);
    });
  }

  onPatch(patch: ViewPatch): void {
    this.#receive(() => {
      if (this.#awaitsSnapshot) return;
      const change = fromSplices(patch.splices);
      if (patch.revision !== this.#revision + 1 || reach(change) > this.#baseLength) {
        this.#askForSnapshot();
        return;
      }
      this.#revision = patch.revision;
      this.#advanceBase(change);
      const splices = toSplices(this.#passPending(change));
      if (splices.length > 0) this.#surface.apply(splices, patch.source);
      if (patch.checksum != null && !this.hasPending) this.#check(patch.checksum);
    });
  }

  onSnapshot(snapshot: ViewSnapshot): void {
    this.#receive(() => {
      this.#awaitsSnapshot = false;
      this.#n_snapshots += 1;
      const n_contained = this.#sent.filter((edit) => edit.requestId <= snapshot.ackedRequestId).length;
      this.#n_vainSnapshots = n_contained > 0 || this.#sent.length === 0 ? 0 : this.#n_vainSnapshots + 1;
      for (const edit of this.#sent.splice(0, n_contained)) this.#advanceBase(edit.change);
      this.#passPending(difference(this.#currentBase(), snapshot.text));
      this.#revision = snapshot.revision;
      this.#resetBase(snapshot.text);
      let text = snapshot.text;
      for (const edit of this.#sent) text = applyTo(text, edit.change);
      this.#surface.replaceAll(applyTo(text, this.#unsent));
      if (this.#isStalled) return;
      for (const edit of this.#sent) this.#send(edit);
      this.#sendUnsent();
    });
  }

  /** Hands over what is still unsent, then falls silent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#heldMessages = [];
    this.#composing = false;
    if (this.#unsent.length > 0) this.#sendNow();
    this.#disposed = true;
  }

  get #isStalled(): boolean {
    return this.#n_vainSnapshots > VAIN_SNAPSHOTS_MAX;
  }

  #receive(message: () => void): void {
    if (this.#disposed) return;
    if (this.#composing) this.#heldMessages.push(message);
    else message();
  }

  #sendUnsent(): void {
    if (this.#composing || this.#awaitsSnapshot || this.#isStalled || this.#unsent.length === 0) return;
    if (!isWellFormed(this.#unsent)) {
      // Some input methods and test drivers type a surrogate pair in two events. The other half may be
      // in the next edit; if it is not, the text is not text.
      if (!this.#halfPairWaits) {
        this.#halfPairWaits = true;
        return;
      }
      this.#mendHalfPairs();
    }
    this.#sendNow();
  }

  #mendHalfPairs(): void {
    const mended = wellFormed(this.#unsent);
    const splices: Splice[] = [];
    let position = 0;
    this.#unsent.forEach((op, i) => {
      const now = mended[i];
      if (typeof op === "string" && typeof now === "string" && op !== now) {
        splices.push([position, op.length, now]);
      }
      if (typeof op === "string") position += op.length;
      else if (op > 0) position += op;
    });
    this.#unsent = mended;
    this.#surface.apply(splices, "other");
  }

  #sendNow(): void {
    this.#halfPairWaits = false;
    this.#lastRequestId += 1;
    const edit = { requestId: this.#lastRequestId, change: this.#unsent, staysLeft: this.#unsentStaysLeft };
    this.#unsent = EMPTY;
    this.#sent.push(edit);
    this.#send(edit);
  }

  #send(edit: SentEdit): void {
    this.#port.edit({
      requestId: edit.requestId,
      baseRevision: this.#revision,
      staysLeft: edit.staysLeft,
      splices: toSplices(wellFormed(edit.change)),
    });
  }

  /** Leads an engine change over all pending edits; returns it as it applies to the surface. */
  #passPending(change: Changeset): Changeset {
    let passing = change;
    for (const edit of this.#sent) [passing, edit.change] = transform(passing, edit.change, edit.staysLeft);
    [passing, this.#unsent] = transform(passing, this.#unsent, this.#unsentStaysLeft);
    return passing;
  }

  #askForSnapshot(): void {
    if (this.#awaitsSnapshot) return;
    this.#awaitsSnapshot = true;
    // The answer to a question deserves one more try.
    this.#n_vainSnapshots = Math.min(this.#n_vainSnapshots, VAIN_SNAPSHOTS_MAX - 1);
    this.#port.resync();
  }

  /** Part by part: a large text must not hold up the page. One that comes meanwhile is left to the next. */
  #check(checksum: number): void {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const text = this.#surface.snapshot();
    const crc = new Crc32c();
    const n_before = this.#n_snapshots;
    const goOn = (): void => {
      let n_units = 0;
      while (n_units < CHECKED_UNITS && !this.#disposed) {
        const part = text.read();
        if (part === null) {
          this.#isChecking = false;
          // What started over since is another text.
          if (crc.value !== checksum && n_before === this.#n_snapshots) this.#askForSnapshot();
          return;
        }
        crc.push(part);
        n_units += part.length;
      }
      if (!this.#disposed) setTimeout(goOn);
    };
    goOn();
  }

  #advanceBase(change: Changeset): void {
    this.#baseLength += growth(change);
    this.#baseChange = compose(this.#baseChange, change);
    const n_opsMax = Math.max(BASE_OPS_MAX, this.#baseLength / BASE_UNITS_PER_OP);
    if (this.#baseChange.length > n_opsMax) this.#resetBase(this.#currentBase());
  }

  #currentBase(): string {
    return applyTo(this.#baseText, this.#baseChange);
  }

  #resetBase(text: string): void {
    this.#baseText = text;
    this.#baseChange = EMPTY;
    this.#baseLength = text.length;
  }
}

/** Whether something is put in place of what was there. */
function hasReplacement(change: Changeset): boolean {
  return change.some((op, i) => typeof op === "string" && Number(change[i + 1]) < 0);
}

function wholeOf(snapshot: TextSnapshot): string {
  const parts: string[] = [];
  for (let part = snapshot.read(); part !== null; part = snapshot.read()) parts.push(part);
  return parts.join("");
}
