/** Where a person is, in words. */
import type { Member } from "../api/generated";
import { baseName } from "../base/paths";
import { moment, when } from "../base/words";
import type { People } from "../state/people.svelte";

/** Short, for a row: "lexer.rs:43". Empty where nothing is known. */
export function placeInWords(people: People, member: Member, now_ms: number): string {
  if (!member.isConnected && !member.isSelf) return absenceInWords(member, now_ms);
  const place = people.placeOf(member.device);
  if (place === null) return "";
  const file = place.path === null ? "no file" : `${baseName(place.path)}${place.line > 0 ? `:${place.line}` : ""}`;
  if (place.pastMs !== null) return `${file}, looking at ${moment(place.pastMs, now_ms)}`;
  return place.isAway ? `${file}, away` : file;
}

/** Of somebody who is not connected: "left 14:52", "last seen 14:52". */
export function absenceInWords({ leftMs, lastSeenMs }: Member, now_ms: number, seen = "last seen"): string {
  if (leftMs !== null) return `left ${when(leftMs, now_ms)}`;
  return lastSeenMs === null ? "offline" : `${seen} ${when(lastSeenMs, now_ms)}`;
}

/** How the connection to a member is, for a row: "direct 3 ms". */
export function connectionInWords(member: Member): string {
  if (!member.isConnected) return "";
  return member.roundTripUs === null ? "direct" : `direct ${Math.max(1, Math.round(member.roundTripUs / 1_000))} ms`;
}

/** How much of what was done here a member has. That nobody knows it of one who is not connected looks like nothing behind. */
export function shareInWords(member: Member, hasAll = "has all your changes"): string {
  if (member.nBehind === 0) return member.isConnected ? hasAll : "";
  return `${member.nBehind.toLocaleString("en").replaceAll(",", " ")} ${member.nBehind === 1 ? "change" : "changes"} behind`;
}
