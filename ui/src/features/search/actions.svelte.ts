/** What the search does beside searching: opens places, replaces, and says what came of it. */
import { wordingOf } from "../../base/messages";
import { clock, plural } from "../../base/words";
import { past } from "../../state/past.svelte";
import { progress } from "../../state/progress.svelte";
import type { Workbench } from "../../workbench/workbench";
import type { ResultRow } from "./rows";
import type { Search } from "./search.svelte";
import { replacedSentence } from "./words";

/** What is asked before all is replaced. */
export interface ReplaceQuestion {
  nMatches: number;
  files: readonly { path: string; n: number }[];
  text: string;
  replacement: string;
  isCut: boolean;
  /** "15:10", for the name of the moment that keeps the present. */
  asked: string;
}

export class SearchActions {
  question = $state.raw<ReplaceQuestion | null>(null);

  constructor(
    private readonly workbench: Workbench,
    readonly search: Search,
  ) {}

  /** Why nothing can be replaced now; null when it can. */
  get whyNoReplace(): string | null {
    const { session, people } = this.workbench;
    if (people.isViewer) return wordingOf("MSG-ROLE-1").body;
    if (past.moment !== null) return "Go back to now to replace.";
    if (session.isReadOnly) return session.save.message ?? "Nothing can be changed now.";
    return null;
  }

  get canReplaceAll(): boolean {
    const { search } = this;
    return this.whyNoReplace === null && search.files.length > 0 && !search.isRunning && !search.isReplacing;
  }

  /** Shows the place of a row; a file as a whole is opened or closed. */
  open(row: ResultRow, { isPreview, keepsFocus }: { isPreview: boolean; keepsFocus: boolean }): void {
    const { search } = this;
    search.focusedId = row.id;
    if (row.kind === "file") search.setClosed(row.file.path, row.isExpanded);
    else this.#show(row.file.path, row.match, isPreview, keepsFocus);
  }

  #show(path: string, { line, column, length }: { line: number; column: number; length: number }, isPreview: boolean, keepsFocus: boolean): void {
    const { commands, editors } = this.workbench;
    this.search.remember();
    // What was found is there now, not at the moment that is shown.
    if (past.moment !== null) commands.run("timeline.now");
    editors.open(path, { isPreview, keepsFocus, place: { line, column, length } });
  }

  /** The next result or the one before, from wherever the keyboard is. */
  async step(step: 1 | -1): Promise<void> {
    const next = await this.search.step(step);
    if (next === null) this.workbench.layout.say(this.search.text === "" ? "Nothing was looked for." : "No results");
    else this.#show(next.path, next.match, true, !this.workbench.editors.activePane.hasFocus);
  }

  /** One match, or all of a file that are in the list. */
  async replaceRow(row: ResultRow): Promise<void> {
    if (this.whyNoReplace !== null) return;
    const replaced = await this.search.replace(row, false);
    if (replaced === null) return;
    const { groupId, trouble } = replaced;
    if (row.kind === "match" && replaced.nReplaced > 0) this.workbench.layout.say("Replaced 1 match");
    else this.#toast(replacedSentence(replaced), groupId);
    if (trouble !== null) this.workbench.notices.fail(trouble);
  }

  /** Asks first: it touches more than what is on the screen. */
  async askToReplaceAll(): Promise<void> {
    const { search } = this;
    await search.settled();
    if (!this.canReplaceAll || search.asked === null) return;
    this.question = {
      nMatches: search.nMatches,
      files: search.files.map(({ path, matches }) => ({ path, n: matches.length })),
      text: search.asked.text,
      replacement: search.replacement,
      isCut: search.isCut,
      asked: clock(Date.now()).slice(0, 5),
    };
  }

  async answer(isYes: boolean): Promise<void> {
    const { question } = this;
    this.question = null;
    if (question === null || !isYes) return;
    const text = `Replacing in ${plural(question.files.length, "file")}`;
    const replaced = await progress.track(text, () => this.search.replace(null, true));
    if (replaced === null) return;
    this.#toast(replacedSentence(replaced), replaced.groupId);
    if (replaced.trouble !== null) this.workbench.notices.fail(replaced.trouble);
  }

  #toast(sentence: string, groupId: string | null): void {
    const { notices } = this.workbench;
    const undo = (): void => void this.#undo(groupId ?? "").catch((cause: unknown) => notices.fail(cause));
    notices.toast(sentence, groupId === null ? {} : { buttons: [{ label: "Undo", run: undo }] });
  }

  async #undo(groupId: string): Promise<void> {
    const { client, notices } = this.workbench;
    const undone = await client.get("undone", { cmd: "undoGroup", args: { groupId } });
    const isDone = undone.kind === "applied";
    notices.toast(undone.message ?? (isDone ? `Took the replacement in ${plural(undone.paths.length, "file")} back.` : "There is nothing to take back."));
  }
}
