import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import type { Call, CallReply, Push, Reply } from "../api/generated";
import type { Host } from "../platform/host";
import { Session } from "./session.svelte";

/** A shell that notes what it is asked, and answers edits when it is told to. */
class ToyHost implements Host {
  readonly kind = "fake";
  readonly asked: string[] = [];
  readonly refused = new Set<string>();
  answerEdits: () => void = () => undefined;

  async subscribe(_onPushes: (pushes: Push[]) => void): Promise<void> {
    // It tells nothing by itself.
  }

  async rpc(call: Call): Promise<CallReply> {
    if (call.to === "workspace") return { to: "workspace", reply: await this.#answer(call.request.cmd) };
    if (call.to !== "app") throw new Error("not asked here");
    const { request } = call;
    const path = request.cmd === "openWorkspace" ? request.args.path : "";
    if (request.cmd !== "listRecent") this.asked.push(`${request.cmd} ${path}`.trim());
    if (this.refused.has(path) || this.refused.has(request.cmd)) throw { code: "io", message: `${path} cannot be read.`, detail: null };
    if (request.cmd === "openWorkspace") return { to: "app", reply: { reply: "opened", value: { root: path, name: path } } };
    if (request.cmd === "listRecent") return { to: "app", reply: { reply: "recent", value: { folders: [] } } };
    return { to: "app", reply: { reply: "done" } };
  }

  async #answer(cmd: string): Promise<Reply> {
    if (cmd === "status") return { reply: "status", value: { waitingForSave: [], refused: [] } } as unknown as Reply;
    if (cmd === "getState") return { reply: "state", value: { value: null } };
    if (cmd === "editView") {
      await new Promise<void>((resolve) => (this.answerEdits = resolve));
      this.asked.push(cmd);
    }
    return { reply: "done" };
  }
}

async function opened(): Promise<{ session: Session; host: ToyHost; client: Client; told: string[] }> {
  const host = new ToyHost();
  const client = new Client(host);
  await client.start();
  const session = new Session(client);
  const told: string[] = [];
  session.onOpened(({ root }) => told.push(`opened ${root}`));
  session.onClosing(() => told.push("closing"));
  session.onRefused(({ message }) => told.push(message));
  await session.open("/a");
  return { session, host, client, told };
}

describe("another workspace", () => {
  it("is asked for when what was typed last in this one has arrived", async () => {
    const { session, host, client } = await opened();
    session.onClosing(() => void client.ask({ cmd: "editView", args: { viewId: 1, edit: { requestId: 1, baseRevision: 0, staysLeft: false, splices: [[0, 0, "x"]] } } }));
    const opening = session.open("/b");
    await new Promise((resolve) => setTimeout(resolve));
    host.answerEdits();
    expect(await opening).toBe(true);
    expect(host.asked).toEqual(["openWorkspace /a", "editView", "openWorkspace /b"]);
  });

  it("waits until the one that is being opened is open, or is not", async () => {
    const { session, host, told } = await opened();
    host.refused.add("/b");
    const [isFirst, isSecond] = await Promise.all([session.open("/b"), session.open("/c")]);
    expect([isFirst, isSecond, session.workspace?.root]).toEqual([false, true, "/c"]);
    expect(host.asked).toEqual(["openWorkspace /a", "openWorkspace /b", "openWorkspace /a", "openWorkspace /c"]);
    expect(told.at(-1)).toBe("opened /c");
  });

  it("that cannot be opened leaves the one before open, and says why", async () => {
    const { session, host, told } = await opened();
    host.refused.add("/b");
    expect(await session.open("/b")).toBe(false);
    expect(host.asked).toEqual(["openWorkspace /a", "openWorkspace /b", "openWorkspace /a"]);
    expect([session.phase, session.workspace?.root]).toEqual(["workspace", "/a"]);
    expect(told).toEqual(["opened /a", "closing", "opened /a", "/b cannot be read."]);
    await session.close();
    expect(session.failure).toBeNull();
  });

  it("leaves none open behind the welcome page when the one before is gone, too", async () => {
    const { session, host, told } = await opened();
    host.refused.add("/a").add("/b");
    expect(await session.open("/b")).toBe(false);
    expect(host.asked.at(-1)).toBe("closeWorkspace");
    expect([session.phase, session.workspace, session.failure?.message]).toEqual(["welcome", null, "/b cannot be read."]);
    expect(told).toEqual(["opened /a", "closing"]);
  });

  it("is at its old place again when it could not be moved", async () => {
    const { session, host, told } = await opened();
    host.refused.add("finishMove");
    await expect(session.finishMove()).rejects.toMatchObject({ code: "io" });
    expect(host.asked).toEqual(["openWorkspace /a", "finishMove", "openWorkspace /a"]);
    expect(session.workspace?.root).toBe("/a");
    expect(told).toEqual(["opened /a", "closing", "opened /a"]);
  });
});
