/**
 * The one way out of the page. Everything the window asks or hears goes through a `Host`; only the files of
 * this folder know what stands behind it (the Tauri shell, an engine in memory).
 */
import type { Call, CallReply, Push } from "../api/generated";

export interface Host {
  /** For words on the screen and for tests; never to decide what to do. */
  readonly kind: "tauri" | "fake";
  /** Rejects with an `ApiError`. Calls are answered in any order; edits are taken in the order of the calls. */
  rpc(call: Call): Promise<CallReply>;
  /** To be called once, before anything is asked. Pushes come in batches, in order. */
  subscribe(onPushes: (pushes: Push[]) => void): Promise<void>;
}
