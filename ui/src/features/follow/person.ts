/** People as the marks in a text want them. */
import { initialsOf } from "../../base/words";
import { type RemotePerson, patternOf } from "../../editor/remotePlaces";
import type { People } from "../../state/people.svelte";

/** Null for whoever takes no part (any more). */
export function personOf(people: People, device: string): RemotePerson | null {
  // In an order that does not change when names do.
  const members = [...people.members].sort((a, b) => (a.device < b.device ? -1 : 1));
  const index = members.findIndex((one) => one.device === device);
  const member = members[index];
  if (member === undefined) return null;
  const pattern = patternOf(members.map((one) => one.color), index);
  return { device, name: people.nameOf(device), initials: initialsOf(member.person), color: member.color, pattern };
}
