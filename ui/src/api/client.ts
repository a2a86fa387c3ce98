/** Typed calls to the workspace and the shell, and what they tell unasked. Knows no screen. */
import { Emitter } from "../base/emitter";
import type { Host } from "../platform/host";
import type {
  ApiError, AppEvent, AppReply, AppRequest, Event, LargeReply, LargeRequest, Push, Reply, Request, SearchReply, SearchRequest, UntitledReply,
  UntitledRequest,
} from "./generated";

export type ReplyKind = Reply["reply"];
export type ReplyValue<K extends ReplyKind> =
  Extract<Reply, { reply: K }> extends { value: infer V } ? V : undefined;
export type AppReplyKind = AppReply["reply"];
export type AppReplyValue<K extends AppReplyKind> =
  Extract<AppReply, { reply: K }> extends { value: infer V } ? V : undefined;
export type SearchReplyKind = SearchReply["reply"];
export type SearchReplyValue<K extends SearchReplyKind> =
  Extract<SearchReply, { reply: K }> extends { value: infer V } ? V : undefined;

export function isApiError(cause: unknown): cause is ApiError {
  return typeof cause === "object" && cause !== null && "message" in cause && "code" in cause;
}

/** What to show of anything that was thrown. */
export function sentenceOf(cause: unknown): string {
  if (isApiError(cause)) return cause.message;
  if (cause instanceof Error) return cause.message;
  return String(cause);
}

/** A request that is under way. */
export interface Asked {
  cmd: Request["cmd"] | AppRequest["cmd"] | UntitledRequest["cmd"];
  answered: Promise<unknown>;
}

export class Client {
  readonly #host: Host;
  readonly #asked = new Emitter<Asked>();
  readonly #event = new Emitter<Event>();
  readonly #appEvent = new Emitter<AppEvent>();
  #n_pending = 0;
  #idleWaiters: (() => void)[] = [];

  /** What the workspace tells unasked. */
  readonly onEvent = this.#event.on;
  /** What the shell tells unasked. */
  readonly onAppEvent = this.#appEvent.on;
  /** Something was asked, and is not answered yet. */
  readonly onAsked = this.#asked.on;

  constructor(host: Host) {
    this.#host = host;
  }

  get hostKind(): Host["kind"] {
    return this.#host.kind;
  }

  /** Begins to listen. Once, before the first request. */
  start(): Promise<void> {
    return this.#host.subscribe((pushes) => this.hear(pushes));
  }

  /** What the host pushes, in order. Pictures of states that are hard to come by push, too. */
  hear(pushes: readonly Push[]): void {
    for (const push of pushes) {
      if (push.from === "workspace") this.#event.fire(push.event);
      else this.#appEvent.fire(push.event);
    }
  }

  /** Asks the workspace. Rejects with an `ApiError`. */
  async ask(request: Request): Promise<Reply> {
    const reply = await this.#counted(request.cmd, this.#host.rpc({ to: "workspace", request }));
    if (reply.to !== "workspace") throw misfit(request.cmd);
    return reply.reply;
  }

  /** Asks the shell. Rejects with an `ApiError`. */
  async app(request: AppRequest): Promise<AppReply> {
    const reply = await this.#counted(request.cmd, this.#host.rpc({ to: "app", request }));
    if (reply.to !== "app") throw misfit(request.cmd);
    return reply.reply;
  }

  /** Asks about a file too large to edit. Not waited for by `idle`: it is asked again and again. Rejects with an `ApiError`. */
  async large(request: LargeRequest): Promise<LargeReply> {
    const reply = await this.#host.rpc({ to: "large", request });
    if (reply.to !== "large") throw misfit(request.cmd);
    return reply.reply;
  }

  /** Asks about all texts of the workspace. Not waited for by `idle`: it is asked again and again. Rejects with an `ApiError`. */
  async search<K extends SearchReplyKind>(kind: K, request: SearchRequest): Promise<SearchReplyValue<K>> {
    const reply = await this.#host.rpc({ to: "search", request });
    if (reply.to !== "search" || reply.reply.reply !== kind) throw misfit(request.cmd);
    return ("value" in reply.reply ? reply.reply.value : undefined) as SearchReplyValue<K>;
  }

  /** Asks about the texts without a name. Rejects with an `ApiError`. */
  async untitled(request: UntitledRequest): Promise<UntitledReply> {
    const reply = await this.#counted(request.cmd, this.#host.rpc({ to: "untitled", request }));
    if (reply.to !== "untitled") throw misfit(request.cmd);
    return reply.reply;
  }

  /** Asks the workspace and expects one kind of reply. */
  async get<K extends ReplyKind>(kind: K, request: Request): Promise<ReplyValue<K>> {
    const reply = await this.ask(request);
    if (reply.reply !== kind) throw misfit(request.cmd);
    return ("value" in reply ? reply.value : undefined) as ReplyValue<K>;
  }

  /** Asks the shell and expects one kind of reply. */
  async getApp<K extends AppReplyKind>(kind: K, request: AppRequest): Promise<AppReplyValue<K>> {
    const reply = await this.app(request);
    if (reply.reply !== kind) throw misfit(request.cmd);
    return ("value" in reply ? reply.value : undefined) as AppReplyValue<K>;
  }

  get isIdle(): boolean {
    return this.#n_pending === 0;
  }

  /** Resolves when no request is under way. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  async #counted<T>(cmd: Asked["cmd"], promise: Promise<T>): Promise<T> {
    this.#n_pending += 1;
    this.#asked.fire({ cmd, answered: promise });
    try {
      return await promise;
    } finally {
      this.#n_pending -= 1;
      if (this.isIdle) for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
  }
}

function misfit(cmd: string): ApiError {
  return {
    code: "internal",
    message: "CodeSync answered in a way this window does not understand. Nothing that was saved is lost.",
    detail: `unexpected reply to ${cmd}`,
  };
}
