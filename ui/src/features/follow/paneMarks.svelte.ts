/** Keeps the marks of other people in one editor as the engine tells where they are. */
import { untrack } from "svelte";
import type { Presence } from "../../api/generated";
import { RemoteCarets } from "../../editor/remoteCarets";
import type { FlagMode, OffScreenPlaces } from "../../editor/remotePlaces";
import type { Pane } from "../../workbench/pane.svelte";
import type { Workbench } from "../../workbench/workbench";
import { personOf } from "./person";

const NONE: OffScreenPlaces = { above: [], below: [] };

export class PaneMarks {
  edges = $state.raw<OffScreenPlaces>(NONE);
  #carets: RemoteCarets | null = null;
  /** Selections as they were told last, by device: a place told again without them is no activity. */
  readonly #told = new Map<string, string>();

  constructor(
    private readonly workbench: Workbench,
    private readonly pane: Pane,
  ) {}

  /** To be called in an effect: for as long as the editor is there. */
  follow(): (() => void) | undefined {
    const { monaco } = this.workbench.editors;
    const { editor } = this.pane;
    if (monaco === null || editor === null) return undefined;
    return untrack(() => {
      const carets = new RemoteCarets(monaco, editor, (places) => (this.edges = places));
      this.#carets = carets;
      const listening = this.workbench.client.onEvent((event) => {
        if (event.event === "presence") this.#moved(event.data);
        else if (event.event === "viewPatch" && event.data.viewId === this.pane.file?.viewId && event.data.device !== undefined) carets.stir(event.data.device);
      });
      return () => {
        listening.dispose();
        carets.dispose();
        this.#carets = null;
        this.edges = NONE;
        this.#told.clear();
      };
    });
  }

  /** To be called in an effect: another file is shown, people came or went, names or settings changed. */
  refresh(): void {
    const { people, session } = this.workbench;
    void [people.together, people.muted, this.pane.file, this.pane.editor];
    const { nameFlags } = session.settings;
    untrack(() => {
      const carets = this.#carets;
      if (carets === null) return;
      carets.flags = nameFlags as FlagMode;
      for (const device of carets.devices) if (!this.#isShownHere(device)) carets.hide(device);
      for (const presence of people.presences.values()) {
        const person = personOf(people, presence.device);
        // Whoever is shown has moved with the text since it was told where they are.
        if (person === null || !this.#isShownHere(presence.device) || !carets.describe(person)) this.#show(presence, false);
      }
    });
  }

  /** To be called in an effect: places told while the file was not shown may be old. */
  ask(): void {
    const { file } = this.pane;
    const { client, people } = this.workbench;
    if (file?.model == null || !people.isSomeoneHere) return;
    untrack(() => {
      void client.get("presences", { cmd: "presences" }).then(
        ({ presences }) => {
          if (this.pane.file === file) for (const presence of presences) this.#show(presence, false);
        },
        () => {
          // The next word of where they are comes by itself.
        },
      );
    });
  }

  #isShownHere(device: string): boolean {
    const { people } = this.workbench;
    const path = people.placeOf(device)?.path ?? null;
    return path !== null && path === this.pane.file?.path && !people.muted.has(device);
  }

  #moved(presence: Presence): void {
    const told = JSON.stringify([presence.place?.path, presence.place?.selections, presence.typedMs]);
    const isActive = this.#told.get(presence.device) !== told;
    this.#told.set(presence.device, told);
    this.#show(presence, isActive);
  }

  #show({ device, place }: Presence, isActive: boolean): void {
    const { people } = this.workbench;
    const { file } = this.pane;
    const carets = this.#carets;
    const person = personOf(people, device);
    if (carets === null) return;
    if (place === null || person === null || file?.link == null || place.path !== file.path || people.muted.has(device)) {
      carets.hide(device);
      return;
    }
    const { link } = file;
    // Counted in the engine's text; what is typed here and not there yet is in between.
    link.inOrder(() => {
      const selections = place.selections.map(([anchor, head]) => [link.placeOnSurface(anchor), link.placeOnSurface(head)] as const);
      if (this.pane.file === file) carets.show(person, selections, isActive);
    });
  }
}
