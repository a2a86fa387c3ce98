/** The host inside the desktop shell. The only file that may import `@tauri-apps`. */
import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import type { Call, CallReply, Push } from "../api/generated";
import type { Host } from "./host";

export function isInTauri(): boolean {
  return isTauri();
}

export class TauriHost implements Host {
  readonly kind = "tauri";

  rpc(call: Call): Promise<CallReply> {
    return invoke<CallReply>("rpc", { call });
  }

  async subscribe(onPushes: (pushes: Push[]) => void): Promise<void> {
    // One channel for the life of the page: Rust counts its messages from zero for every use of it.
    const channel = new Channel<Push[]>();
    channel.onmessage = onPushes;
    await invoke("subscribe", { channel });
  }
}
