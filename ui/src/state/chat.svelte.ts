/** The messages of the workspace, what of them is new, and the one that is being written. Never shows itself. */
import type { Client } from "../api/client";
import type { ChatLink, ChatMessage } from "../api/generated";
import { Emitter } from "../base/emitter";
import { baseName } from "../base/paths";
import { minute } from "../base/words";
import { chatWriting } from "./chatWriting.svelte";

const PAGE = 50;
const KEY = "chat";
/** Whoever has not gone on for so long is not writing. */
const WRITING_MS = 4_000;

export class Chat {
  /** Oldest first. */
  messages = $state.raw<readonly ChatMessage[]>([]);
  hasOlder = $state(false);
  /** Ids of what others wrote and nobody here has seen. By time alone it cannot be told: what was written offline comes late. */
  #unread = $state.raw<ReadonlySet<string>>(new Set());
  /** What is being written. */
  text = $state("");
  /** What it points at. */
  link = $state.raw<ChatLink | null>(null);
  isSending = $state(false);
  /** It can be seen: what comes is read. */
  #isShown = false;
  #lastSeen: string | null = null;
  #isLoading = false;
  #generation = 0;
  #writingTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #missed = new Emitter<ChatMessage>();
  /** Somebody wrote while the messages are not before the eyes of whoever is here. */
  readonly onMissed = this.#missed.on;

  get n_unread(): number {
    return this.#unread.size;
  }

  constructor(private readonly client: Client) {
    client.onEvent((event) => {
      if (event.event === "message") this.#hear(event.data);
    });
  }

  /** A workspace was opened. */
  async start(): Promise<void> {
    this.stop();
    const generation = this.#generation;
    try {
      const [{ messages, hasMore }, { value }] = await Promise.all([
        this.client.get("messages", { cmd: "listMessages", args: { before: null, limit: PAGE } }),
        this.client.get("state", { cmd: "getState", args: { key: KEY } }),
      ]);
      if (generation !== this.#generation) return;
      this.#lastSeen = value;
      this.messages = merged(this.messages, messages);
      this.hasOlder = hasMore;
      this.#unread = new Set([...this.#unread, ...this.#sinceSeen()]);
      if (this.#isShown) this.#markSeen();
    } catch {
      // Without it the window is whole; new messages come by themselves.
    }
  }

  stop(): void {
    this.#generation += 1;
    this.messages = [];
    this.hasOlder = false;
    this.#unread = new Set();
    this.text = "";
    this.link = null;
    this.#lastSeen = null;
    this.#setWriting(false);
  }

  async loadOlder(): Promise<void> {
    const [oldest] = this.messages;
    if (oldest === undefined || !this.hasOlder || this.#isLoading) return;
    const generation = this.#generation;
    this.#isLoading = true;
    try {
      const { messages, hasMore } = await this.client.get("messages", { cmd: "listMessages", args: { before: oldest.deltaId, limit: PAGE } });
      if (generation !== this.#generation) return;
      this.messages = merged(this.messages, messages);
      this.hasOlder = hasMore;
    } finally {
      this.#isLoading = false;
    }
  }

  #hear(message: ChatMessage): void {
    const isNew = !this.messages.some((one) => one.deltaId === message.deltaId);
    this.messages = merged(this.messages, [message]);
    if (this.#isShown) this.#markSeen();
    else if (isNew && !message.isSelf) {
      this.#unread = new Set([...this.#unread, message.deltaId]);
      this.#missed.fire(message);
    }
  }

  /** Seen messages are read ones, while the window has the eyes of somebody. */
  setShown(isShown: boolean): void {
    this.#isShown = isShown;
    if (isShown) this.#markSeen();
  }

  #markSeen(): void {
    this.#unread = new Set();
    const newest = this.messages.at(-1)?.deltaId ?? null;
    if (newest === null || newest === this.#lastSeen) return;
    this.#lastSeen = newest;
    this.client.ask({ cmd: "putState", args: { key: KEY, value: newest } }).catch(() => {
      // Then it counts as new once more at the next start.
    });
  }

  #sinceSeen(): string[] {
    const seen = this.messages.findIndex((one) => one.deltaId === this.#lastSeen);
    return this.messages.slice(seen + 1).filter((one) => !one.isSelf).map((one) => one.deltaId);
  }

  /** What a message points at, asked anew: the text and the name of the file go on changing. Null for nothing known here. */
  async linkOf(message: ChatMessage): Promise<ChatLink | null> {
    const generation = this.#generation;
    const next = this.messages[this.messages.findIndex((one) => one.deltaId === message.deltaId) + 1];
    try {
      const { messages } = await this.client.get("messages", { cmd: "listMessages", args: { before: next?.deltaId ?? null, limit: PAGE } });
      if (generation !== this.#generation) return null;
      this.messages = merged(this.messages, messages);
      return (messages.find((one) => one.deltaId === message.deltaId) ?? message).link;
    } catch {
      // Then as it was told last.
      return message.link;
    }
  }

  typed(text: string): void {
    this.text = text;
    this.#setWriting(text.trim() !== "");
  }

  #setWriting(isWriting: boolean): void {
    clearTimeout(this.#writingTimer);
    chatWriting.isOn = isWriting;
    if (isWriting) this.#writingTimer = setTimeout(() => (chatWriting.isOn = false), WRITING_MS);
  }

  /** Sends what is written. It is in the field again when it could not be sent. Rejects with an `ApiError`. */
  async send(): Promise<void> {
    const { text: written, link } = this;
    // A message without words says what it points at.
    const text = written.trim() || (link === null ? "" : nameOfLink(link, Date.now()));
    if (text === "" || this.isSending) return;
    const generation = this.#generation;
    this.isSending = true;
    // At once: what is typed while it is on its way is the next message.
    this.text = "";
    this.link = null;
    this.#setWriting(false);
    try {
      await this.client.ask({ cmd: "sendMessage", args: { text, link } });
    } catch (cause) {
      if (generation === this.#generation) {
        this.text = this.text === "" ? written : `${text}\n${this.text}`;
        this.link ??= link;
      }
      throw cause;
    } finally {
      this.isSending = false;
    }
  }
}

/** "lexer.rs:43", "14:32" */
export function nameOfLink(link: ChatLink, now_ms: number): string {
  return link.kind === "code" ? `${baseName(link.path)}:${link.line}` : minute(link.atMs, now_ms);
}

/** Two lists as one, in the order of time; what came by both ways is there once, as it was told last. */
export function merged(known: readonly ChatMessage[], more: readonly ChatMessage[]): ChatMessage[] {
  const all = new Map([...known, ...more].map((message) => [message.deltaId, message]));
  return [...all.values()].sort((a, b) => a.atMs - b.atMs);
}
