/**
 * The link against a reference engine that keeps the rule of `link.ts`, in thousands of random
 * interleavings. Every failure prints its seed; `LINK_SEED=n` runs that one alone.
 */
import { describe, expect, it } from "vitest";
import type { PatchSource, Splice, ViewEdit, ViewPatch, ViewSnapshot } from "../api/generated";
import {
  type Changeset,
  applyTo,
  compose,
  crc32c,
  difference,
  fromSplices,
  minimised,
  toSplices,
  transform,
} from "./changeset";
import { EditorLink } from "./link";

class Dice {
  #state: number;
  constructor(readonly seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0;
  }
  /** 0..n-1 */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** Every inserted character but line ends is another one, so what is lost or doubled shows. Each third is a pair. */
class Alphabet {
  #bmp = 0x4e00;
  #astral = 0x20000;
  readonly inserted = new Set<string>();
  readonly deleted = new Set<string>();
  next(n: number): string {
    let text = "";
    for (let i = 0; i < n; i += 1) {
      const point = (this.#bmp + this.#astral) % 3 === 0 ? this.#astral++ : this.#bmp++;
      if (this.#bmp > 0x9f00) this.#bmp = 0xac00;
      const char = String.fromCodePoint(point);
      this.inserted.add(char);
      text += char;
      // Ties are decided by line ends, too.
      if (point % 5 === 0) text += "\n";
    }
    return text;
  }
}

/** Without line ends. */
function lettersOf(text: string): string[] {
  return [...text].filter((char) => char !== "\n");
}

function splitsPair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return at < text.length && unit >= 0xdc00 && unit <= 0xdfff;
}

function randomPlace(dice: Dice, text: string): number {
  const at = dice.below(text.length + 1);
  return splitsPair(text, at) ? at - 1 : at;
}

/** A random multi-splice edit of `text`; returns it with the text it leads to. */
function randomEdit(dice: Dice, text: string, letters: Alphabet): { splices: Splice[]; after: string } {
  const splices: Splice[] = [];
  let after = text;
  const n_splices = dice.chance(70) ? 1 : 1 + dice.below(4);
  for (let i = 0; i < n_splices; i += 1) {
    const from = randomPlace(dice, after);
    let to = dice.chance(50) ? from : Math.min(after.length, from + dice.below(6));
    if (splitsPair(after, to)) to += 1;
    const inserted = to === from || dice.chance(50) ? letters.next(1 + dice.below(3)) : "";
    for (const char of after.slice(from, to)) letters.deleted.add(char);
    splices.push([from, to - from, inserted]);
    after = after.slice(0, from) + inserted + after.slice(to);
  }
  return { splices, after };
}

/** The surface: plain text that refuses splices which do not fit. */
class PlainSurface {
  n_replaced = 0;
  sources: PatchSource[] = [];
  constructor(public text: string) {}
  /** How much of the text comes at once. */
  n_part = Infinity;
  snapshot(): { read(): string | null } {
    const { text, n_part } = this;
    let at = 0;
    return {
      read: () => {
        if (at >= text.length) return null;
        const part = text.slice(at, at + n_part);
        at += n_part;
        return part;
      },
    };
  }
  apply(splices: Splice[], source: PatchSource): void {
    this.sources.push(source);
    for (const [position, deleted, inserted] of splices) {
      if (position + deleted > this.text.length) throw new Error("splice beyond the end");
      this.text = this.text.slice(0, position) + inserted + this.text.slice(position + deleted);
    }
  }
  replaceAll(text: string): void {
    this.n_replaced += 1;
    this.text = text;
  }
}

type ToView =
  | { kind: "patch"; patch: ViewPatch }
  | { kind: "ack"; requestId: number; revision: number }
  | { kind: "snapshot"; snapshot: ViewSnapshot };
type ToEngine = { kind: "edit"; edit: ViewEdit } | { kind: "resync" };

interface EngineView {
  revision: number;
  ackedRequestId: number;
  snapshotRevision: number;
  /** Patches the view may not know, in the engine's context after all its edits. */
  sent: { revision: number; change: Changeset }[];
  out: ToView[];
}

/** The engine's half, written from the rule alone. */
class ReferenceEngine {
  readonly views: EngineView[] = [];
  n_patches = 0;
  /** Takes no edits: the disk is full. */
  isFull = false;
  constructor(public text: string) {}

  addView(): EngineView {
    const view: EngineView = { revision: 0, ackedRequestId: 0, snapshotRevision: 0, sent: [], out: [] };
    this.views.push(view);
    return view;
  }

  receive(view: EngineView, edit: ViewEdit): void {
    if (edit.requestId <= view.ackedRequestId || edit.baseRevision < view.snapshotRevision) return;
    if (edit.requestId !== view.ackedRequestId + 1 || this.isFull) {
      this.snapshot(view);
      return;
    }
    view.sent = view.sent.filter((patch) => patch.revision > edit.baseRevision);
    let change = fromSplices(edit.splices);
    for (const patch of view.sent) [patch.change, change] = transform(patch.change, change, edit.staysLeft);
    this.text = applyTo(this.text, change);
    view.revision += 1;
    view.ackedRequestId = edit.requestId;
    view.out.push({ kind: "ack", requestId: edit.requestId, revision: view.revision });
    for (const other of this.views) if (other !== view) this.#patch(other, change, "other");
  }

  ownEdit(splices: Splice[]): void {
    const change = fromSplices(splices);
    this.text = applyTo(this.text, change);
    for (const view of this.views) this.#patch(view, change, "disk");
  }

  snapshot(view: EngineView): void {
    view.sent = [];
    view.revision += 1;
    view.snapshotRevision = view.revision;
    view.out.push({
      kind: "snapshot",
      snapshot: { viewId: 0, revision: view.revision, text: this.text, ackedRequestId: view.ackedRequestId },
    });
  }

  #patch(view: EngineView, change: Changeset, source: PatchSource): void {
    view.revision += 1;
    this.n_patches += 1;
    view.sent.push({ revision: view.revision, change });
    const checksum = this.n_patches % 3 === 0 ? crc32c(this.text) : null;
    const patch = { viewId: 0, revision: view.revision, splices: toSplices(change), source, checksum };
    view.out.push({ kind: "patch", patch });
  }
}

class World {
  readonly letters = new Alphabet();
  readonly engine: ReferenceEngine;
  readonly views: {
    link: EditorLink;
    surface: PlainSurface;
    seat: EngineView;
    toEngine: ToEngine[];
    composing: boolean;
    n_resyncs: number;
  }[] = [];

  constructor(
    readonly dice: Dice,
    n_views: number,
  ) {
    const text = this.letters.next(dice.below(12));
    this.engine = new ReferenceEngine(text);
    for (let i = 0; i < n_views; i += 1) {
      const surface = new PlainSurface(text);
      const toEngine: ToEngine[] = [];
      const seat = this.engine.addView();
      const port = {
        edit: (edit: ViewEdit) => void toEngine.push({ kind: "edit", edit: structuredClone(edit) }),
        resync: () => {
          entry.n_resyncs += 1;
          toEngine.push({ kind: "resync" });
        },
      };
      const link = new EditorLink(port, surface, 0, text);
      const entry = { link, surface, seat, toEngine, composing: false, n_resyncs: 0 };
      this.views.push(entry);
    }
  }

  type(i: number): void {
    const view = this.views[i]!;
    const { splices, after } = randomEdit(this.dice, view.surface.text, this.letters);
    view.surface.text = after;
    view.link.localEdit(splices, this.dice.chance(50));
  }

  compose(i: number): void {
    const view = this.views[i]!;
    if (view.composing) view.link.compositionEnd();
    else view.link.compositionStart();
    view.composing = !view.composing;
  }

  toEngine(i: number, lossPercent = 0): boolean {
    const view = this.views[i]!;
    const message = view.toEngine.shift();
    if (!message) return false;
    if (message.kind === "edit" && this.dice.chance(lossPercent)) return true;
    if (message.kind === "edit") this.engine.receive(view.seat, message.edit);
    else this.engine.snapshot(view.seat);
    return true;
  }

  toView(i: number, lossPercent = 0): boolean {
    const view = this.views[i]!;
    const message = view.seat.out.shift();
    if (!message) return false;
    if (message.kind === "snapshot") view.link.onSnapshot(message.snapshot);
    else if (this.dice.chance(lossPercent)) return true;
    else if (message.kind === "ack") view.link.onAck(message.requestId, message.revision);
    else view.link.onPatch(message.patch);
    return true;
  }

  settle(): void {
    this.views.forEach((view, i) => view.composing && this.compose(i));
    let moved = true;
    while (moved) {
      moved = false;
      this.views.forEach((_, i) => {
        while (this.toEngine(i)) moved = true;
        while (this.toView(i)) moved = true;
      });
    }
  }

  checkAll(): void {
    for (const view of this.views) {
      expect(view.surface.text).toBe(this.engine.text);
      expect(view.link.hasPending).toBe(false);
    }
    const present = lettersOf(this.engine.text);
    expect(new Set(present).size, "nothing doubled").toBe(present.length);
    const expected = [...this.letters.inserted].filter((char) => !this.letters.deleted.has(char));
    expect(present.sort().join("")).toBe(expected.sort().join(""));
  }
}

const { process: runner } = globalThis as { process?: { env: Record<string, string | undefined> } };
const ONLY = Number(runner?.env["LINK_SEED"] ?? 0);

function everySeed(n: number, run: (dice: Dice) => void): void {
  for (let seed = ONLY || 1; seed <= (ONLY || n); seed += 1) {
    try {
      run(new Dice(seed));
    } catch (cause) {
      throw new Error(`LINK_SEED=${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
}

describe("changesets", () => {
  it("compose does the one, then the other", () => {
    everySeed(3000, (dice) => {
      const letters = new Alphabet();
      const text = letters.next(dice.below(10));
      const first = randomEdit(dice, text, letters);
      const second = randomEdit(dice, first.after, letters);
      const both = compose(fromSplices(first.splices), fromSplices(second.splices));
      expect(applyTo(text, both)).toBe(second.after);
      expect(fromSplices(toSplices(both))).toEqual(both);
    });
  });

  it("transform leads both ways to one text", () => {
    everySeed(5000, (dice) => {
      const letters = new Alphabet();
      const text = letters.next(dice.below(10));
      const engine = fromSplices(randomEdit(dice, text, letters).splices);
      const view = fromSplices(randomEdit(dice, text, letters).splices);
      const [engineOver, viewOver] = transform(engine, view, dice.chance(50));
      expect(applyTo(applyTo(text, engine), viewOver)).toBe(applyTo(applyTo(text, view), engineOver));
    });
  });

  it.each<[string, Splice[], Splice[], string, boolean?]>([
    ["inserts at one place: the engine's lines are left", [[2, 0, "E\n"]], [[2, 0, "V"]], "abE\nVcdef"],
    ["inserts at one place: what the engine's lines end with is right", [[2, 0, "E\nF\nG"]], [[2, 0, "V"]], "abE\nF\nVGcdef"],
    ["inserts at one place: the engine's word is right", [[2, 0, "E"]], [[2, 0, "V"]], "abVEcdef"],
    ["overlapping deletes delete once", [[1, 3, ""]], [[2, 3, ""]], "af"],
    ["an insert inside a deleted range survives", [[1, 4, ""]], [[3, 0, "V"]], "aVf"],
    ["the engine's insert inside a deleted range survives", [[3, 0, "E"]], [[1, 4, ""]], "aEf"],
    ["an insert at the start of a deleted range stays", [[1, 2, ""]], [[1, 0, "V"]], "aVdef"],
    ["an insert at the end of a deleted range stays", [[1, 2, ""]], [[3, 0, "V"]], "aVdef"],
    ["an insert where the view replaces", [[1, 0, "E\n"]], [[1, 2, "V"]], "aE\nVdef"],
    ["an insert where the engine replaces", [[1, 2, "E\nF"]], [[1, 0, "V"]], "aE\nVFdef"],
    ["both replace the same", [[1, 2, "E"]], [[1, 2, "V"]], "aVEdef"],
    ["a replacement inserts left of what it deletes", [[2, 0, "E"]], [[1, 3, "V"]], "aVEef"],
    ["what stays left stands left of the engine's insert", [[2, 0, "E"]], [[2, 0, "V"]], "abVEcdef", true],
    ["what stays left stands left of what the engine puts in its place", [[2, 2, "E"]], [[2, 0, "V"]], "abVEef", true],
    ["what stays left and replaces", [[2, 0, "E"]], [[2, 2, "V"]], "abVEef", true],
    ["what stays left does so at one place only", [[1, 0, "E"]], [[2, 0, "V"]], "aEbVcdef", true],
  ])("%s", (_, engine, view, expected, staysLeft = false) => {
    const [engineOver, viewOver] = transform(fromSplices(engine), fromSplices(view), staysLeft);
    expect(applyTo(applyTo("abcdef", fromSplices(engine)), viewOver)).toBe(expected);
    expect(applyTo(applyTo("abcdef", fromSplices(view)), engineOver)).toBe(expected);
  });

  it("stays canonical: an insert after a delete moves to its left", () => {
    const view = fromSplices([[0, 1, ""], [1, 0, "Y"]]);
    const [, viewOver] = transform(fromSplices([[1, 1, ""]]), view, false);
    expect(viewOver).toEqual(["Y", -1]);
  });

  it("difference leads from one text to the other and parts no pair", () => {
    everySeed(1500, (dice) => {
      const letters = new Alphabet();
      const lines = (n: number): string => Array.from({ length: n }, () => letters.next(1 + dice.below(3))).join("\n");
      const before = lines(1 + dice.below(8));
      let after = before;
      for (let i = 0; i < dice.below(4); i += 1) after = randomEdit(dice, after, letters).after;
      const change = difference(before, after);
      expect(applyTo(before, change)).toBe(after);
      for (const [, , inserted] of toSplices(change)) expect(/\p{Surrogate}/u.test(inserted)).toBe(false);
    });
    expect(applyTo("😀", difference("😀", "😁"))).toBe("😁");
    expect(toSplices(difference("a\n😀\nb\n", "a\n😁\nb\n"))).toEqual([[2, 2, "😁"]]);
  });

  it("difference keeps what lies between far changes", () => {
    const before = Array.from({ length: 400 }, (_, i) => `line ${i}\n`).join("");
    const after = before.replace("line 3\n", "LINE 3\n").replace("line 390\n", "");
    const change = difference(before, after);
    expect(applyTo(before, change)).toBe(after);
    expect(toSplices(change).map(([, deleted, inserted]) => [deleted, inserted])).toEqual([
      [4, "LINE"],
      [9, ""],
    ]);
  });

  it("minimised drops what is put back as it was", () => {
    expect(minimised(fromSplices([[1, 3, "bxd"]]), "abcde")).toEqual([2, "x", -1]);
    expect(minimised(fromSplices([[1, 3, "bcd"]]), "abcde")).toEqual([]);
  });

  it("crc32c gives the known values", () => {
    expect(crc32c("123456789")).toBe(0xe3069283);
    expect(crc32c("")).toBe(0);
    expect(crc32c("é😀")).toBe(crc32c("\u00e9\ud83d\ude00"));
  });
});

describe("the link and the reference engine", () => {
  it("two views and the disk converge, nothing lost, nothing doubled", () => {
    everySeed(2500, (dice) => {
      const world = new World(dice, 2);
      for (let step = 0; step < 60; step += 1) {
        const i = dice.below(2);
        const act = dice.below(10);
        if (act < 4) world.type(i);
        else if (act < 6) world.toEngine(i);
        else if (act < 9) world.toView(i);
        else if (dice.chance(40)) world.compose(i);
        else world.engine.ownEdit(randomEdit(dice, world.engine.text, world.letters).splices);
      }
      world.settle();
      world.checkAll();
      for (const view of world.views) expect(view.n_resyncs).toBe(0);
    });
  });

  it("long runs of unanswered edits meet long runs of patches", () => {
    everySeed(600, (dice) => {
      const world = new World(dice, 3);
      for (let round = 0; round < 4; round += 1) {
        for (let k = 0; k < 8; k += 1) world.type(dice.below(3));
        for (let k = 0; k < dice.below(14); k += 1) world.toEngine(dice.below(3));
        for (let k = 0; k < dice.below(14); k += 1) world.toView(dice.below(3));
      }
      world.settle();
      world.checkAll();
    });
  });

  function checkNothingTypedIsLost(world: World): void {
    for (const view of world.views) {
      expect(view.surface.text).toBe(world.engine.text);
      expect(view.link.hasPending).toBe(false);
    }
    // A deletion of text that someone else changed meanwhile may come to nothing; nothing typed may be missing.
    const letters = lettersOf(world.engine.text);
    const present = new Set(letters);
    expect(present.size, "nothing doubled").toBe(letters.length);
    for (const char of world.letters.inserted) {
      if (!world.letters.deleted.has(char)) expect(present.has(char), `lost ${char}`).toBe(true);
    }
  }

  it("messages lost either way are noticed, and snapshots heal without losing what was typed", () => {
    everySeed(1500, (dice) => {
      const world = new World(dice, 2);
      for (let step = 0; step < 60; step += 1) {
        const i = dice.below(2);
        const act = dice.below(9);
        if (act < 3) world.type(i);
        else if (act < 5) world.toEngine(i, 6);
        else if (act < 8) world.toView(i, 6);
        else if (dice.chance(20)) world.engine.snapshot(world.views[i]!.seat);
        else if (dice.chance(20)) world.compose(i);
      }
      world.settle();
      // A loss at the very end shows with the next message, or by the port that could not hand over.
      world.engine.ownEdit([[0, 0, world.letters.next(1)]]);
      world.settle();
      for (const view of world.views) view.link.retry();
      world.settle();
      checkNothingTypedIsLost(world);
    });
  });

  it("edits handed over in the wrong order, or twice, come out right", () => {
    everySeed(800, (dice) => {
      const world = new World(dice, 2);
      for (let step = 0; step < 50; step += 1) {
        const i = dice.below(2);
        const queue = world.views[i]!.toEngine;
        const act = dice.below(8);
        if (act < 3) world.type(i);
        else if (act < 5) {
          if (dice.chance(15) && queue.length > 1) queue.splice(1, 0, queue.shift()!);
          if (dice.chance(10) && queue.length > 0) queue.unshift(structuredClone(queue[0]!));
          world.toEngine(i);
        } else world.toView(i);
      }
      world.settle();
      checkNothingTypedIsLost(world);
    });
  });

  it("a full disk loses nothing and makes no endless traffic", () => {
    everySeed(200, (dice) => {
      const world = new World(dice, 1);
      world.type(0);
      world.settle();
      world.engine.isFull = true;
      for (let i = 0; i < 5; i += 1) world.type(0);
      world.settle();
      expect(world.views[0]!.link.hasPending).toBe(true);
      world.engine.isFull = false;
      if (dice.chance(50)) world.views[0]!.link.retry();
      else world.type(0);
      world.settle();
      world.checkAll();
    });
  });
});

function oneView(text: string): { link: EditorLink; surface: PlainSurface; edits: ViewEdit[]; n_resyncs: () => number } {
  const surface = new PlainSurface(text);
  const edits: ViewEdit[] = [];
  let resyncs = 0;
  const port = { edit: (edit: ViewEdit) => void edits.push(edit), resync: () => void (resyncs += 1) };
  return { link: new EditorLink(port, surface, 5, text), surface, edits, n_resyncs: () => resyncs };
}

function patch(revision: number, splices: Splice[], checksum: number | null = null): ViewPatch {
  return { viewId: 1, revision, splices, source: "other", checksum };
}

describe("the link by itself", () => {
  function typed(view: ReturnType<typeof oneView>, splices: Splice[], staysLeft = false): void {
    view.surface.apply(splices, "other");
    view.link.localEdit(splices, staysLeft);
  }

  it("sends each edit at once, in order, counted from 1", () => {
    const view = oneView("ab");
    typed(view, [[2, 0, "c"]]);
    typed(view, [[3, 0, "d"]]);
    expect(view.edits).toEqual([
      { requestId: 1, baseRevision: 5, staysLeft: false, splices: [[2, 0, "c"]] },
      { requestId: 2, baseRevision: 5, staysLeft: false, splices: [[3, 0, "d"]] },
    ]);
    view.link.onAck(1, 6);
    expect(view.link.hasPending).toBe(true);
    view.link.onAck(2, 7);
    expect(view.link.hasPending).toBe(false);
  });

  it("a word goes on behind its letters when others put a line in just there", () => {
    const view = oneView("foo");
    typed(view, [[0, 0, "A"]], false);
    typed(view, [[1, 0, "s"]], true);
    view.link.onPatch(patch(6, [[0, 0, "Bo\n"]]));
    expect(view.surface.text).toBe("Bo\nAsfoo");
    view.link.onAck(1, 7);
    view.link.onPatch(patch(8, [[4, 0, "Joao\n"]]));
    expect(view.surface.text).toBe("Bo\nAsJoao\nfoo");
    expect(view.edits.map((edit) => edit.staysLeft)).toEqual([false, true]);
  });

  it("what is composed stays left only when all of it does", () => {
    const view = oneView("ab");
    for (const [firstStays, secondStays] of [[true, true], [true, false], [false, true]] as const) {
      view.link.compositionStart();
      typed(view, [[1, 0, "x"]], firstStays);
      typed(view, [[2, 0, "y"]], secondStays);
      view.link.compositionEnd();
    }
    expect(view.edits.map((edit) => edit.staysLeft)).toEqual([true, false, false]);
  });

  it("a dead key is one edit: the net-zero pair vanishes", () => {
    const view = oneView("x");
    view.link.compositionStart();
    typed(view, [[1, 0, "´"]]);
    typed(view, [[1, 1, ""]]);
    view.link.compositionEnd();
    typed(view, [[1, 0, "é"]]);
    expect(view.edits.map((edit) => edit.splices)).toEqual([[[1, 0, "é"]]]);
  });

  it("a composition over selected text sends only what differs", () => {
    const view = oneView("say word.");
    view.link.compositionStart();
    typed(view, [[4, 4, "w"]]);
    typed(view, [[4, 1, "wo"]]);
    typed(view, [[4, 2, "world"]]);
    view.link.compositionEnd();
    expect(view.edits.map((edit) => edit.splices)).toEqual([[[7, 0, "l"]]]);
  });

  it("others' edits wait while a composition is open, and stand after it", () => {
    const view = oneView("ab");
    view.link.compositionStart();
    typed(view, [[1, 0, "´"]]);
    view.link.onPatch(patch(6, [[0, 0, "Z"]]));
    expect(view.surface.text).toBe("a´b");
    typed(view, [[1, 1, "é"]]);
    view.link.compositionEnd();
    expect(view.surface.text).toBe("Zaéb");
    expect(view.edits).toEqual([{ requestId: 1, baseRevision: 5, staysLeft: false, splices: [[1, 0, "é"]] }]);
  });

  it("a surrogate pair typed in two events leaves as one", () => {
    const view = oneView("");
    typed(view, [[0, 0, "\ud83d"]]);
    expect(view.edits).toHaveLength(0);
    typed(view, [[1, 0, "\ude00"]]);
    expect(view.edits.map((edit) => edit.splices)).toEqual([[[0, 0, "😀"]]]);
  });

  it("half a pair that stays alone becomes U+FFFD on both sides", () => {
    const view = oneView("ab");
    typed(view, [[1, 0, "\ud83d"]]);
    typed(view, [[2, 0, "x"]]);
    expect(view.surface.text).toBe("a\ufffdxb");
    expect(view.edits.map((edit) => edit.splices)).toEqual([[[1, 0, "\ufffdx"]]]);
  });

  it("a gap, a strange answer or an impossible patch asks once for a snapshot", () => {
    for (const wrong of [
      (link: EditorLink) => link.onPatch(patch(7, [[0, 0, "x"]])),
      (link: EditorLink) => link.onAck(1, 6),
      (link: EditorLink) => link.onPatch(patch(6, [[1, 5, ""]])),
    ]) {
      const view = oneView("ab");
      wrong(view.link);
      wrong(view.link);
      expect(view.n_resyncs()).toBe(1);
      expect(view.surface.text).toBe("ab");
    }
  });

  it("a wrong checksum asks for a snapshot, a right one does not, with pending edits neither", () => {
    const view = oneView("ab");
    view.link.onPatch(patch(6, [[0, 0, "x"]], crc32c("xab")));
    typed(view, [[3, 0, "c"]]);
    view.link.onPatch(patch(7, [[0, 1, ""]], 1));
    expect(view.n_resyncs()).toBe(0);
    view.link.onAck(1, 8);
    view.link.onPatch(patch(9, [[0, 0, "y"]], 1));
    expect(view.n_resyncs()).toBe(1);
  });

  it("a long text is checked in parts, whatever is typed meanwhile; a part may end inside a pair", async () => {
    const text = "😀ü".repeat(200_000);
    for (const [checksum, n_resyncs] of [[crc32c(`x${text}`), 0], [1, 1]] as const) {
      const view = oneView(text);
      view.surface.n_part = 1_000;
      view.link.onPatch(patch(6, [[0, 0, "x"]], checksum));
      expect(view.n_resyncs()).toBe(0);
      typed(view, [[3, 0, "c"]]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(view.n_resyncs()).toBe(n_resyncs);
    }
  });

  it("while it waits for a snapshot it collects; what was lost goes again, then the rest", () => {
    const view = oneView("one\ntwo\n");
    typed(view, [[3, 0, "!"]]);
    typed(view, [[8, 0, "?"]]);
    view.link.onPatch(patch(9, []));
    typed(view, [[9, 0, "?"]]);
    expect(view.edits).toHaveLength(2);
    view.link.onSnapshot({ viewId: 1, revision: 12, text: "zero\none!\ntwo\n", ackedRequestId: 1 });
    expect(view.surface.text).toBe("zero\none!\ntwo??\n");
    expect(view.edits.slice(2)).toEqual([
      { requestId: 2, baseRevision: 12, staysLeft: false, splices: [[13, 0, "?"]] },
      { requestId: 3, baseRevision: 12, staysLeft: false, splices: [[14, 0, "?"]] },
    ]);
  });

  it("after an unasked snapshot, edits on their way go again with their old ids", () => {
    const view = oneView("a");
    typed(view, [[1, 0, "b"]]);
    view.link.onSnapshot({ viewId: 1, revision: 6, text: "Xa", ackedRequestId: 0 });
    expect(view.surface.text).toBe("Xab");
    expect(view.edits[1]).toEqual({ requestId: 1, baseRevision: 6, staysLeft: false, splices: [[2, 0, "b"]] });
    view.link.onAck(1, 7);
    expect(view.link.hasPending).toBe(false);
  });

  it("dispose hands over an open composition and hears nothing more", () => {
    const view = oneView("a");
    view.link.compositionStart();
    typed(view, [[1, 0, "b"]]);
    view.link.dispose();
    view.link.onPatch(patch(6, [[0, 0, "x"]]));
    expect(view.edits.map((edit) => edit.splices)).toEqual([[[1, 0, "b"]]]);
    expect(view.surface.text).toBe("ab");
  });

  it("keeps its base through thousands of edits", () => {
    const dice = new Dice(7);
    const letters = new Alphabet();
    const view = oneView("");
    for (let i = 1; i <= 3000; i += 1) {
      const { splices } = randomEdit(dice, view.surface.text, letters);
      typed(view, splices);
      view.link.onAck(i, 5 + i);
    }
    view.link.onSnapshot({ viewId: 1, revision: 4000, text: view.surface.text, ackedRequestId: 3000 });
    expect(view.link.hasPending).toBe(false);
    expect(view.surface.n_replaced).toBe(1);
  });
});

describe("edits that were refused", () => {
  it("ask for the whole text once, however many were on their way, and again after a question without an answer", () => {
    const asked = { edits: 0, snapshots: 0 };
    const port = {
      edit: () => void (asked.edits += 1),
      resync: () => void (asked.snapshots += 1),
    };
    const link = new EditorLink(port, new PlainSurface("abc"), 1, "abc");
    for (let at = 0; at < 50; at += 1) link.localEdit([[at, 0, "x"]], false);
    const n_sent = asked.edits;
    for (let refusal = 0; refusal < n_sent; refusal += 1) link.onRefused();
    expect(n_sent).toBeGreaterThan(0);
    expect(asked.snapshots).toBe(1);
    link.onSnapshotRefused();
    link.onRefused();
    expect(asked.snapshots).toBe(2);
  });

  it("are not sent again for ever", () => {
    let snapshots = 0;
    const link: EditorLink = new EditorLink({ edit: () => {}, resync: () => void (snapshots += 1) }, new PlainSurface("abc"), 1, "abc");
    link.localEdit([[0, 0, "x"]], false);
    for (let round = 0; round < 20; round += 1) {
      link.onRefused();
      link.onSnapshot({ viewId: 1, revision: 2 + round, text: "abc", ackedRequestId: 0 });
    }
    expect(snapshots).toBeLessThan(6);
    // Until there is reason to hope.
    const n_before = snapshots;
    link.retry();
    expect(snapshots).toBe(n_before + 1);
  });
});
