/** What is said of a search, in whole sentences. */
import type { Replaced } from "../../api/generated";
import { plural } from "../../base/words";
import type { Search } from "./search.svelte";

type Standing = Pick<Search, "isRunning" | "isOver" | "isStopped" | "isCut" | "nMatches" | "nFiles" | "nTooLarge" | "trouble" | "files" | "text">;

/** How far it is, or what came of it; empty when nothing was looked for. */
export function standing(search: Standing): string {
  const { isRunning, isOver, isStopped, isCut, nMatches, nFiles, nTooLarge, files } = search;
  if (isRunning) return nMatches === 0 ? `Searching… ${plural(nFiles, "file")}` : `Searching… ${found(nMatches, files.length)} so far`;
  if (isStopped) return `Stopped. ${nMatches === 0 ? "Nothing was found" : found(nMatches, files.length)} so far.`;
  if (!isOver) return "";
  const large = nTooLarge === 0 ? "" : ` ${plural(nTooLarge, "file is", "files are")} too large to be searched here.`;
  if (nMatches === 0) return `No results in ${plural(nFiles, "file")}.${large}`;
  if (isCut) return `The first ${found(nMatches, files.length)}. There are more: narrow the search.${large}`;
  return `${found(nMatches, files.length)}${large === "" ? "" : `.${large}`}`;
}

/** "23 results in 4 files" */
export function found(nMatches: number, nFiles: number): string {
  return `${plural(nMatches, "result")} in ${plural(nFiles, "file")}`;
}

/** "23 matches in 4 files" */
export function matchesIn(nMatches: number, nFiles: number): string {
  return `${plural(nMatches, "match", "matches")} in ${plural(nFiles, "file")}`;
}

/** What came of a replacement. */
export function replacedSentence({ nReplaced, nMissed, paths }: Replaced): string {
  const missed = nMissed === 0 ? "" : ` ${plural(nMissed, "was", "were")} not there any more.`;
  if (nReplaced === 0) return `Nothing was replaced.${missed}`;
  return `Replaced ${matchesIn(nReplaced, paths.length)}.${missed}`;
}

/** A text on one line. */
export function oneLine(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "→");
}

const BEFORE_MAX = 20;
const BEFORE_SHOWN = 14;

/** What stands before a match, cut so that the match is in sight in a narrow list. */
export function beforeShown(before: string): string {
  const signs = [...oneLine(before)];
  return signs.length <= BEFORE_MAX ? signs.join("") : `…${signs.slice(-BEFORE_SHOWN).join("")}`;
}
