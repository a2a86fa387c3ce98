/** Other people in the window: the panel, inviting and joining, roles, what is said about them. */
import type { Role } from "../../api/generated";
import type { Command } from "../../commands/registry.svelte";
import { contextMenu } from "../../ui/menu.svelte";
import { roleEntries } from "../../workbench/memberMenu";
import { fill } from "../../workbench/slots.svelte";
import { FOR_A_WHILE, chosenVisibility, visibilityOf } from "../../workbench/visibility";
import type { Workbench } from "../../workbench/workbench";
import AcceptDialog from "./AcceptDialog.svelte";
import { PeopleActions } from "./actions.svelte";
import ConnectionCheck from "./ConnectionCheck.svelte";
import InviteCard from "./InviteCard.svelte";
import JoinDialog from "./JoinDialog.svelte";
import PeoplePanel from "./PeoplePanel.svelte";
import QuestionDialog from "./QuestionDialog.svelte";
import SyncPopover from "./SyncPopover.svelte";
import { offerToAsk } from "./offerToAsk.svelte";
import { type Deeds, type Said, askedOf, isCameIn, saidOf } from "./toasts";

export function contribute(workbench: Workbench): void {
  const { client, people, session, notices, slots, commands } = workbench;
  const actions = new PeopleActions({
    client,
    people,
    defaultRole: () => (session.settings.defaultRole === "viewer" ? "viewer" : "editor"),
    toast: (text) => void notices.toast(text),
    fail: (cause) => void notices.fail(cause),
    open: (root) => session.open(root),
  });
  slots.addSideView({ id: "people", title: "People", icon: "organization", filling: fill(PeoplePanel, () => ({ workbench, actions })) });
  for (const overlay of [InviteCard, SyncPopover, JoinDialog, ConnectionCheck, QuestionDialog, AcceptDialog]) {
    slots.addOverlay(fill(overlay, () => ({ workbench, actions })));
  }
  commands.registerAll([...meetingCommands(workbench, actions), ...memberCommands(workbench, actions), ...syncCommands(workbench, actions)]);
  follow(workbench, actions);
  offerToAsk(workbench);
}

function meetingCommands({ session, people, layout }: Workbench, actions: PeopleActions): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  const canInvite = (): boolean => isOpen() && people.isOwner;
  const invite = (): Promise<void> => {
    layout.showSideView("people");
    return actions.showInvite();
  };
  const isHidden = (): boolean => visibilityOf(session.settings, Date.now()) === "nobody";
  const setVisible = (isVisible: boolean): Promise<void> => session.changeSettings({ visibleTo: isVisible ? "everyone" : "nobody", visibleUntilMs: 0 });
  return [
    { id: "people.show", title: "People", category: "View", when: isOpen, run: () => layout.toggleSideView("people") },
    { id: "people.invite", title: "Invite someone…", category: "People", keys: ["Ctrl+K I"], when: canInvite, run: invite },
    { id: "people.join", title: "Join with a code…", category: "People", keys: ["Ctrl+J"], keysWhen: () => !isOpen(), run: () => actions.startCode() },
    { id: "people.askToJoin", title: "Ask to join", category: "People", isHidden: true, run: (peer) => actions.askToJoin(String(peer)) },
    { id: "people.inviteNearby", title: "Invite", category: "People", isHidden: true, when: canInvite, run: (peer) => actions.inviteNearby(String(peer)) },
    { id: "people.connectionCheck", title: "Check the connection…", category: "Help", run: () => (actions.isCheckShown = true) },
    {
      id: "people.invisible",
      title: "Be invisible on networks",
      category: "People",
      checked: isHidden,
      run: () => setVisible(isHidden()),
    },
    {
      id: "people.visibleForAWhile",
      title: "Be visible to everyone for 10 minutes",
      category: "People",
      run: () => session.changeSettings(chosenVisibility(FOR_A_WHILE, session.settings, Date.now())),
    },
    { id: "people.lookAround", title: "Look for people nearby", category: "People", run: () => people.lookAround() },
  ];
}

function memberCommands({ session, people }: Workbench, actions: PeopleActions): Command[] {
  const isTogether = (): boolean => session.workspace !== null && !people.isAlone;
  const hasLeft = (): boolean => people.link.kind === "left";
  const ask = (device: unknown): void => {
    const member = people.member(String(device));
    if (member !== null) actions.question = { kind: "remove", member };
  };
  const setRole = (argument: unknown): Promise<void> => {
    const { device, role } = argument as { device: string; role: Role };
    return actions.setRole(device, role);
  };
  return [
    { id: "people.askToEdit", title: "Ask to edit", category: "People", when: () => isTogether() && people.isViewer, run: () => actions.askToEdit() },
    { id: "people.setRole", title: "Change the role", category: "People", isHidden: true, when: () => people.isOwner, run: setRole },
    { id: "people.remove", title: "Remove…", category: "People", isHidden: true, when: () => people.isOwner, run: ask },
    { id: "people.leave", title: "Leave this workspace…", category: "People", when: () => isTogether() && !hasLeft(), run: () => (actions.question = { kind: "leave" }) },
    { id: "people.takePart", title: "Take part again", category: "People", when: () => isTogether() && hasLeft(), run: () => actions.syncNow() },
  ];
}

function syncCommands({ session, people, layout }: Workbench, actions: PeopleActions): Command[] {
  const isTogether = (): boolean => session.workspace !== null && !people.isAlone && people.link.kind !== "left";
  const isPaused = (): boolean => people.link.kind === "paused";
  return [
    { id: "people.sync", title: "Sync state", category: "People", when: () => session.workspace !== null, run: () => (layout.isSyncShown = !layout.isSyncShown) },
    { id: "people.pause", title: "Pause syncing", category: "People", when: isTogether, checked: isPaused, run: () => actions.pause(!isPaused()) },
    { id: "people.syncNow", title: "Sync now", category: "People", when: () => isTogether() && !isPaused(), run: () => actions.syncNow() },
  ];
}

function follow({ client, people, session, notices, commands, editors }: Workbench, actions: PeopleActions): void {
  const show = ({ text, options }: Said): void => void notices.toast(text, options);
  const deeds: Deeds = {
    newCode: () => void actions.reinvite().then(() => (actions.isInviteShown = true)).catch((cause: unknown) => commands.fail(cause)),
    remove: (device) => commands.run("people.remove", device),
    makeEditor: (device) => commands.run("people.setRole", { device, role: "editor" }),
    changeRole: (device) => {
      const member = people.member(device);
      if (member !== null) contextMenu.show(innerWidth - 260, innerHeight - 220, `Role of ${member.person}`, roleEntries({ commands, people }, member));
    },
  };
  /** Toasts that wait for an answer to who would like to edit, by device. */
  const asked = new Map<string, number>();
  people.onChanged((change) => {
    saidOf(change, deeds).forEach(show);
    // The code did what it was for; the message says who it was.
    if (change.before.invitation?.state === "open" && isCameIn(change)) closeInvite(actions, editors);
    for (const [device, id] of asked) {
      if (people.member(device)?.role === "viewer") continue;
      notices.close(id);
      asked.delete(device);
    }
  });
  people.onChanged(({ before, now }) => {
    const isNew = now.asking.some((one) => !before.asking.some((other) => other.id === one.id));
    if (isNew && !document.hasFocus()) client.app({ cmd: "drawAttention" }).catch(() => undefined);
  });
  people.onSignalled((signalled) => {
    const said = askedOf(signalled, people.isOwner, deeds);
    if (said !== null) asked.set(signalled.device, notices.toast(said.text, said.options));
  });
  session.onClosing(() => {
    actions.isInviteShown = false;
    actions.question = null;
    actions.answered = new Set();
    asked.clear();
  });
  followNeighbourhood({ people, session, notices, commands }, actions);
}

/** Goes away by itself: the keyboard goes back to the text, if it was in it. */
function closeInvite(actions: PeopleActions, editors: Workbench["editors"]): void {
  const hadFocus = document.activeElement?.closest("[data-testid='invite']") != null;
  actions.isInviteShown = false;
  if (hadFocus) editors.focusSoon();
}

function followNeighbourhood({ people, session, notices, commands }: Pick<Workbench, "people" | "session" | "notices" | "commands">, actions: PeopleActions): void {
  // Where the shell has no network there is nobody nearby, and the lists say so.
  people.startNearby().catch(() => undefined);
  let invited: ReadonlySet<string> = new Set();
  people.onNearby(({ people: neighbours }) => {
    const inviting = neighbours.filter((one) => one.invites && one.shares?.isJoined === false);
    // On the first page the card says it.
    for (const { peer, person, shares } of session.workspace === null ? [] : inviting.filter((one) => !invited.has(one.peer))) {
      const join = { label: "Join", run: () => commands.run("people.askToJoin", peer) };
      notices.toast(`${person} invites you to “${shares?.name ?? ""}”.`, { buttons: [join], stays: true });
    }
    invited = new Set(inviting.map((one) => one.peer));
  });
  people.onJoining((joining) => {
    if (joining.kind === "joined") actions.joined(joining.root, joining.person).catch((cause: unknown) => commands.fail(cause));
  });
}
