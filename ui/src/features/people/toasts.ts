/** What is said when something changes among the people: who came in, wrong tries at a code, one's own role. */
import type { Member, Together } from "../../api/generated";
import { MESSAGES, NOW_VIEWER, madeEditor, wordingOf, wouldLikeToEdit } from "../../base/messages";
import type { NoticeOptions } from "../../state/notices.svelte";
import type { Signalled, TogetherChange } from "../../state/people.svelte";

/** A toast that is to be shown. */
export interface Said {
  text: string;
  options: NoticeOptions;
}

/** What the buttons of the toasts do. */
export interface Deeds {
  newCode(): void;
  changeRole(device: string): void;
  remove(device: string): void;
  makeEditor(device: string): void;
}

const ROLES = { viewer: "Viewer", editor: "Editor", owner: "Owner" } as const;

/** `now_ms` decides nothing but whether the code still stands. */
export function saidOf({ before, now }: TogetherChange, deeds: Deeds): Said[] {
  return [...newcomers(before, now, deeds), ...wrongTries(before, now, deeds), ...ownRole(before, now)];
}

/** Somebody takes part who did not. */
export function isCameIn({ before, now }: TogetherChange): boolean {
  return newMembers(before, now).length > 0;
}

function newMembers(before: Together, now: Together): Member[] {
  const wasIn = (device: string): boolean => before.members.some((one) => one.device === device && one.role !== null);
  return now.members.filter((one) => !one.isSelf && one.role !== null && !wasIn(one.device));
}

/** A code that was open is used up, and somebody is here who was not. */
function newcomers(before: Together, now: Together, deeds: Deeds): Said[] {
  const isUsed = before.invitation?.state === "open" && now.invitation?.state !== "open" && now.invitation?.state !== "switchedOff";
  if (!isUsed || !now.members.some((one) => one.isSelf && one.role === "owner")) return [];
  return newMembers(before, now).map(({ device, person, role }) => ({
    text: `${person} joined with your code as ${ROLES[role ?? "viewer"]}.`,
    options: {
      buttons: [
        { label: "Change", run: () => deeds.changeRole(device) },
        { label: "Remove", run: () => deeds.remove(device) },
      ],
    },
  }));
}

/** MSG-PAIR-2b, and -2c at the owner's. */
function wrongTries(before: Together, now: Together, deeds: Deeds): Said[] {
  const { invitation } = now;
  if (invitation === null) return [];
  const n_before = before.invitation?.code === invitation.code ? before.invitation.nWrong : 0;
  const isSame = before.invitation?.code === invitation.code && before.invitation.state === invitation.state;
  const buttons = [{ label: MESSAGES["MSG-PAIR-2b"].buttons[0], run: () => deeds.newCode() }];
  if (invitation.state === "switchedOff") {
    const { head, body } = wordingOf("MSG-PAIR-2c");
    return isSame ? [] : [{ text: `${head} ${body}`, options: { buttons, stays: true, isUrgent: true, code: "MSG-PAIR-2c" } }];
  }
  if (invitation.nWrong <= n_before) return [];
  const text = wordingOf("MSG-PAIR-2b", { address: invitation.wrongFrom ?? "" }).body.replace(" at  ", " ");
  return [{ text, options: { buttons, code: "MSG-PAIR-2b" } }];
}

/** MSG-ROLE-3 */
function ownRole(before: Together, now: Together): Said[] {
  const was = before.members.find((one) => one.isSelf)?.role ?? null;
  const is = now.members.find((one) => one.isSelf)?.role ?? null;
  if (was === null || is === null || was === is) return [];
  if (is === "viewer") return [{ text: NOW_VIEWER, options: { code: "MSG-ROLE-3" } }];
  if (is === "owner") return [{ text: "You're now an owner.", options: {} }];
  const owners = now.members.filter((one) => one.role === "owner" && !one.isSelf);
  const host = owners.length === 1 ? (owners[0]?.person ?? null) : null;
  return [{ text: was === "viewer" ? madeEditor(host) : madeEditor(null), options: { code: "MSG-ROLE-3" } }];
}

/** MSG-ROLE-2 at the owner; null for what concerns others. */
export function askedOf({ device, person, signal }: Signalled, isOwner: boolean, deeds: Deeds): Said | null {
  if (signal.kind !== "askToEdit" || !isOwner) return null;
  const [make, notNow] = MESSAGES["MSG-ROLE-2"].buttons;
  return {
    text: wouldLikeToEdit(person),
    options: {
      stays: true,
      code: "MSG-ROLE-2",
      buttons: [
        { label: make, run: () => deeds.makeEditor(device) },
        { label: notNow, run: () => undefined },
      ],
    },
  };
}
