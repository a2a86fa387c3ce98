/** What was done in the workspace, act by act, newest first; asked for only while somebody looks at it. */
import type { Client } from "../api/client";
import type { LogRecord, Member, Moment, Together } from "../api/generated";
import { hasLeft, usesOther } from "../base/messages";
import type { People } from "./people.svelte";

/**
 * The log is told from its beginning; what is wanted is its end. So it is asked for in stretches of the timeline, the
 * newest first, until there are so many acts.
 */
const STRETCH_MOMENTS = 1_500;
const PAGE_ACTS = 30;
const STRETCHES_MAX = 12;
const RECORDS_MAX = 10_000;
/** While others type, the newest page is asked for at most this often. */
const REFRESH_MS = 1_000;
/** Events after which there is more. */
const ACTS = ["historyGrew", "act", "momentNamed", "merged"];

export interface ActivityFilter {
  path: string | null;
  /** Name of the author. */
  author: string | null;
}

export class Activity {
  /** Newest first. */
  records = $state.raw<readonly LogRecord[]>([]);
  isLoaded = $state(false);
  /** There may be older ones. */
  hasOlder = $state(false);
  /** What comes up to this moment of the workspace has not been asked for. */
  #from = 0;
  /** As they were answered: one act may be in several, where somebody else's work lies between. */
  #answered: readonly LogRecord[] = [];
  /** What is no history: that somebody left, or uses another version. */
  #remarks: readonly LogRecord[] = [];
  #filter: ActivityFilter = { path: null, author: null };
  #isShown = false;
  #generation = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;

  constructor(
    private readonly client: Client,
    private readonly people: Pick<People, "together" | "onChanged">,
    private readonly now: () => number = Date.now,
  ) {
    // What was so when the workspace was opened is no change of its own.
    people.onChanged(({ before, now }) => {
      [before, now].forEach(({ members }) => this.#remark(members));
      if (rolesOf(before) !== rolesOf(now)) this.#refreshSoon();
    });
    client.onEvent(({ event }) => {
      if (ACTS.includes(event)) this.#refreshSoon();
    });
  }

  show(filter: ActivityFilter): void {
    this.#remark(this.people.together.members);
    this.#filter = filter;
    this.#isShown = true;
    this.#generation += 1;
    this.records = [];
    this.#answered = [];
    this.hasOlder = false;
    this.isLoaded = false;
    void this.#load(true);
  }

  hide(): void {
    this.#isShown = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The workspace goes away. */
  forget(): void {
    this.#remarks = [];
  }

  #remark(members: readonly Member[]): void {
    const isNew = ({ id }: LogRecord): boolean => !this.#remarks.some((one) => one.id === id);
    const news = remarksOf(members, this.now()).filter(isNew);
    if (news.length === 0) return;
    this.#remarks = [...this.#remarks, ...news];
    this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (!this.#isShown) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#load(true);
    }, REFRESH_MS);
  }

  async loadOlder(): Promise<void> {
    if (this.hasOlder && !this.#isLoading) await this.#load(false);
  }

  async #load(isNewest: boolean): Promise<void> {
    const generation = this.#generation;
    this.#isLoading = true;
    try {
      const isFirst = this.#answered.length === 0;
      let until = isNewest ? null : this.#from;
      let page: LogRecord[] = [];
      for (let n = 0; n < STRETCHES_MAX; n += 1) {
        const from = Math.max(0, (until ?? (await this.#newest())) - STRETCH_MOMENTS);
        page = [...page, ...(await this.#stretch(from, until))];
        until = from;
        // Asked again, the newest stretch is enough: what is older is here.
        if (generation !== this.#generation || from === 0 || (isNewest && !isFirst) || summedUp(page).length >= PAGE_ACTS) break;
      }
      if (generation !== this.#generation) return;
      this.#answered = isNewest ? refreshed(this.#answered, page) : [...this.#answered, ...page];
      if (!isNewest || isFirst) this.#from = until ?? 0;
      this.hasOlder = this.#from > 0;
      this.records = summedUp([...this.#answered, ...this.#remarksShown()]);
      this.isLoaded = true;
    } catch {
      // What is shown stays; the next change asks again.
      if (generation === this.#generation) this.isLoaded = true;
    } finally {
      this.#isLoading = false;
    }
  }

  /** Those for which the filter asks, as far back as the history is here. */
  #remarksShown(): LogRecord[] {
    const { path, author } = this.#filter;
    const oldest = this.hasOlder ? oldestOf(this.#answered) : "";
    return path !== null ? [] : this.#remarks.filter(({ user_id, timestamp }) => (author ?? user_id) === user_id && timestamp >= oldest);
  }

  async #newest(): Promise<number> {
    return (await this.client.get("status", { cmd: "status" })).nMoments;
  }

  async #stretch(from: number, until: number | null): Promise<LogRecord[]> {
    const at = (value: number): Moment => ({ kind: "workspaceStep", value });
    const query = { ...this.#filter, since: from === 0 ? null : at(from), until: until === null ? null : at(until), steps: false, cursor: null, limit: RECORDS_MAX };
    return (await this.client.get("log", { cmd: "log", args: { query } })).records;
  }
}

/** Who takes part, and as what: the rest of what is told of the people is no act. */
function rolesOf({ members }: Together): string {
  return JSON.stringify(members.map(({ device, person, role }) => [device, person, role]));
}

/** MSG-PEER-3 and MSG-VER-3, as lines of the list: each once, by its id. */
export function remarksOf(members: readonly Member[], now_ms: number): LogRecord[] {
  return members.flatMap(({ device, person, leftMs, otherVersion }) => [
    ...(leftMs === null ? [] : [remark(`left ${device} ${leftMs}`, person, leftMs, hasLeft(person))]),
    ...(otherVersion === null ? [] : [remark(`version ${device}`, person, now_ms, usesOther(person, otherVersion))]),
  ]);
}

function remark(id: string, person: string, at_ms: number, sentence: string): LogRecord {
  return {
    id, session_id: "", user_id: person, timestamp: new Date(at_ms).toISOString(), kind: "remark", path: null, step: null, position: null, deleted: null,
    inserted: null, n_steps: null, added: null, removed: null, n_files: null, group_id: null, detail: null, sentence,
  };
}

/** The newest page was asked for again: it stands for all that is as new as its last record. */
export function refreshed(known: readonly LogRecord[], page: readonly LogRecord[]): LogRecord[] {
  const oldest = oldestOf(page);
  return [...page, ...known.filter(({ timestamp }) => timestamp < oldest)];
}

const oldestOf = (records: readonly LogRecord[]): string => records.reduce((first, { timestamp }) => (timestamp < first ? timestamp : first), records[0]?.timestamp ?? "");

/** Each act once, with all that it came to, the newest first. */
export function summedUp(records: readonly LogRecord[]): LogRecord[] {
  const acts = new Map<string, LogRecord>();
  for (const record of records) {
    const key = record.group_id ?? record.id;
    const act = acts.get(key);
    acts.set(key, act === undefined ? record : both(act, record));
  }
  return [...acts.values()].sort((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0));
}

function both(a: LogRecord, b: LogRecord): LogRecord {
  const sum = (one: number | null, other: number | null): number => (one ?? 0) + (other ?? 0);
  const [newer, older] = a.timestamp >= b.timestamp ? [a, b] : [b, a];
  const n_files = Math.max(newer.n_files ?? 0, older.n_files ?? 0, newer.path === older.path ? 1 : 2);
  return {
    ...newer,
    path: newer.path === older.path ? newer.path : null,
    n_steps: sum(a.n_steps, b.n_steps),
    added: sum(a.added, b.added),
    removed: sum(a.removed, b.removed),
    n_files,
  };
}
