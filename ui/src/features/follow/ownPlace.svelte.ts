/** Where the person here is, read from the window and told by `PlaceTeller`. Nothing is told while nobody is connected. */
import { untrack } from "svelte";
import type { Place } from "../../api/generated";
import { chatWriting } from "../../state/chatWriting.svelte";
import { past } from "../../state/past.svelte";
import type { Workbench } from "../../workbench/workbench";
import { LATER_MS, PlaceTeller, SOON_MS } from "./placeTeller";

const AWAY_MS = 5 * 60_000;
const LOOK_MS = 10_000;

export class OwnPlace {
  isAway = $state(false);
  #input_ms = Date.now();
  readonly #teller: PlaceTeller;

  constructor(private readonly workbench: Workbench) {
    this.#teller = new PlaceTeller({
      read: () => this.#read(),
      send: (place) => {
        workbench.client.ask({ cmd: "showPlace", args: { place } }).catch(() => {
          // Told again with the next move.
        });
      },
      now: () => Date.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    });
  }

  /** For the life of the window, inside `$effect.root`. */
  begin(): void {
    const { people, editors } = this.workbench;
    for (const type of ["keydown", "pointermove", "pointerdown", "wheel"] as const) window.addEventListener(type, this.#stirred, { capture: true, passive: true });
    setInterval(() => this.#look(), LOOK_MS);
    let known = "";
    $effect(() => {
      const here = people.here.map((one) => one.device).join(" ");
      untrack(() => {
        this.#teller.isOn = here !== "";
        if (here !== known && here !== "") this.#teller.anew();
        known = here;
      });
    });
    $effect(() => {
      void [editors.activePath, editors.activeFile, past.moment?.atMs, this.isAway, chatWriting.isOn];
      this.#teller.changed(SOON_MS);
    });
    $effect(() => {
      const editor = editors.activeEditor;
      if (editor === null) return undefined;
      const listeners = [
        editor.onDidChangeCursorSelection(({ source }) => this.#teller.changed(source === "modelChange" ? LATER_MS : SOON_MS)),
        editor.onDidScrollChange(() => this.#teller.changed(SOON_MS)),
      ];
      return () => {
        for (const one of listeners) one.dispose();
      };
    });
    $effect(() => {
      const { large } = editors.activePane;
      if (large !== null) void large.caretPlace;
      this.#teller.changed(SOON_MS);
    });
  }

  readonly #stirred = (): void => {
    this.#input_ms = Date.now();
    if (this.isAway) this.isAway = false;
  };

  #look(): void {
    if (!this.isAway && Date.now() - this.#input_ms >= AWAY_MS) this.isAway = true;
  }

  #read(): Place | null {
    const { editors } = this.workbench;
    const pane = editors.activePane;
    const file = editors.activeFile;
    const place: Place = {
      path: editors.activePath,
      selections: [],
      topLine: 0,
      line: 0,
      pastMs: past.moment?.atMs ?? null,
      isAway: this.isAway,
      isWritingMessage: chatWriting.isOn,
    };
    const model = pane.editor?.getModel();
    if (pane.large !== null) return { ...place, topLine: pane.large.caretPlace.line, line: pane.large.caretPlace.line };
    if (file === null || model == null || file.path !== place.path || pane.editor === null) return place;
    // The engine has no part of a composition yet: places behind it would be off.
    if (file.link?.isComposing === true) return null;
    const selections = (pane.editor.getSelections() ?? []).slice(0, SELECTIONS_MAX).map((one): [number, number] => [
      model.getOffsetAt({ lineNumber: one.selectionStartLineNumber, column: one.selectionStartColumn }),
      model.getOffsetAt({ lineNumber: one.positionLineNumber, column: one.positionColumn }),
    ]);
    const line = pane.editor.getPosition()?.lineNumber ?? 0;
    return { ...place, selections, line, topLine: pane.editor.getVisibleRanges()[0]?.startLineNumber ?? 1 };
  }
}

/** Of a thousand carets, nobody needs to see more. */
const SELECTIONS_MAX = 50;
