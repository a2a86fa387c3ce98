/** Puts the other people into the text: their carets, whom one follows, where one is oneself. */
import { baseName } from "../../base/paths";
import type { Command } from "../../commands/registry.svelte";
import { isEscFree } from "../../workbench/esc";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { bindToWorkbench } from "./binding.svelte";
import { Follow } from "./follow.svelte";
import { LastEdits, inWords } from "./lastEdits";
import { OwnPlace } from "./ownPlace.svelte";
import PaneLayer from "./PaneLayer.svelte";

export function contribute(workbench: Workbench): void {
  const { client, people, session, slots, commands } = workbench;
  const follow = new Follow(workbench);
  const edits = new LastEdits();
  const own = new OwnPlace(workbench);
  slots.overPanes = (pane, groupId) => fill(PaneLayer, () => ({ workbench, follow, pane, groupId }));
  commands.registerAll(followCommands(workbench, follow, edits));
  client.onEvent((event) => {
    if (event.event === "viewPatch") edits.hear(event.data, Date.now());
    else if (event.event === "viewMoved" && event.data.path === null) edits.forget();
  });
  people.onSignalled(({ device, signal }) => {
    if (signal.kind === "bring") follow.asked(device, signal);
  });
  session.onOpened(() => {
    const host = people.welcomedBy;
    people.welcomedBy = null;
    if (host !== null && session.settings.followOnJoin) follow.afterJoin(host);
  });
  session.onClosing(() => {
    edits.forget();
    follow.stop();
  });
  for (const type of ["keydown", "pointerdown", "wheel"] as const) {
    window.addEventListener(type, (event) => follow.handleInput(event), { capture: true, passive: true });
  }
  bindToWorkbench(workbench, follow, own);
}

function followCommands({ people, editors, layout }: Workbench, follow: Follow, edits: LastEdits): Command[] {
  const category = "People";
  const someoneIsHere = (): boolean => people.here.length > 0;
  const canBring = (): boolean => someoneIsHere() && editors.activePath !== null;
  const deviceOf = (argument: unknown): string => (typeof argument === "string" ? argument : "");
  const toPerson = { category, isHidden: true, when: someoneIsHere } as const;
  return [
    {
      id: "follow.toggle",
      title: "Follow or stop following",
      category,
      keys: ["Ctrl+Alt+F"],
      when: () => people.followed !== null || someoneIsHere(),
      checked: () => people.followed !== null,
      run: () => follow.toggle(null),
    },
    { id: "follow.stop", title: "Stop following", category, keys: ["Esc"], keysWhen: isEscFree, when: () => people.followed !== null, run: () => follow.stop() },
    { ...toPerson, id: "follow.person", title: "Follow", run: (device) => follow.toggle(deviceOf(device)) },
    { ...toPerson, id: "follow.goTo", title: "Go to", run: (device) => follow.goTo(deviceOf(device)) },
    { ...toPerson, id: "follow.mute", title: "Mute or show the caret", run: (device) => follow.toggleMuted(deviceOf(device)) },
    { id: "follow.bring", title: "Bring everyone here", category, when: canBring, run: () => follow.bring(null) },
    { ...toPerson, id: "follow.bringOne", title: "Bring here", when: canBring, run: (device) => follow.bring(deviceOf(device)) },
    {
      id: "people.lastEdit",
      title: "Say what others changed last",
      category,
      keys: ["Alt+F2"],
      when: () => !people.isAlone,
      run: () => {
        const { last } = edits;
        const file = editors.files?.all.find((one) => one.viewId === last?.viewId);
        if (last === null || file?.model == null) {
          layout.say("Nobody else has changed an open file yet.", 4_000);
          return;
        }
        const { lineNumber } = file.model.getPositionAt(last.position);
        const place = file === editors.activeFile ? `line ${lineNumber}` : `${baseName(file.lastPath)}, line ${lineNumber}`;
        layout.say(inWords(last, people.nameOf(last.device), place, Date.now()), 8_000);
      },
    },
  ];
}
