/** What was done in the workspace, act by act, newest first; asked for only while somebody looks at it. */
import type { Client } from "../api/client";
import type { LogRecord } from "../api/generated";

const PAGE = 60;
/** While others type, the newest page is asked for at most this often. */
const REFRESH_MS = 1_000;

export interface ActivityFilter {
  path: string | null;
  /** Name of the author. */
  author: string | null;
}

export class Activity {
  /** Newest first. */
  records = $state.raw<readonly LogRecord[]>([]);
  isLoaded = $state(false);
  /** Cursor of the next older page. */
  next = $state<string | null>(null);
  #filter: ActivityFilter = { path: null, author: null };
  #isShown = false;
  #generation = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;

  constructor(private readonly client: Client) {
    client.onEvent((event) => {
      if (["historyGrew", "act", "momentNamed", "merged", "together"].includes(event.event)) this.#refreshSoon();
    });
  }

  show(filter: ActivityFilter): void {
    this.#filter = filter;
    this.#isShown = true;
    this.#generation += 1;
    this.records = [];
    this.next = null;
    this.isLoaded = false;
    void this.#load(null);
  }

  hide(): void {
    this.#isShown = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #refreshSoon(): void {
    if (!this.#isShown) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#load(null);
    }, REFRESH_MS);
  }

  async loadOlder(): Promise<void> {
    if (this.next !== null && !this.#isLoading) await this.#load(this.next);
  }

  async #load(cursor: string | null): Promise<void> {
    const generation = this.#generation;
    this.#isLoading = true;
    try {
      const query = { ...this.#filter, since: null, until: null, steps: false, cursor, limit: PAGE };
      const { records, next } = await this.client.get("log", { cmd: "log", args: { query } });
      if (generation !== this.#generation) return;
      const isFirst = this.records.length === 0;
      this.records = newestFirst(cursor === null ? [...records, ...this.records] : [...this.records, ...records]);
      if (cursor !== null || isFirst) this.next = next;
      this.isLoaded = true;
    } catch {
      // What is shown stays; the next change asks again.
      if (generation === this.#generation) this.isLoaded = true;
    } finally {
      this.#isLoading = false;
    }
  }
}

/** Each act once: of two records of one group, the first is the newer. */
export function newestFirst(records: readonly LogRecord[]): LogRecord[] {
  const seen = new Set<string>();
  const once = records.filter((record) => {
    const key = record.group_id ?? record.id;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return once.sort((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0));
}
