import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import type { Call, CallReply, ChatMessage, Push, Request } from "../api/generated";
import type { Host } from "../platform/host";
import { Chat, merged } from "./chat.svelte";
import { chatWriting } from "./chatWriting.svelte";

function message(n: number, isSelf = false): ChatMessage {
  return { deltaId: `m${n}`, device: isSelf ? "me" : "bo", person: isSelf ? "Asha" : "Bo", color: 1, isSelf, atMs: n * 1_000, text: `text ${n}`, link: null };
}

class ToyHost implements Host {
  readonly kind = "fake";
  readonly asked: Request[] = [];
  kept: string | null = null;
  refuses = false;
  push: (pushes: Push[]) => void = () => undefined;

  constructor(readonly messages: ChatMessage[]) {}

  async subscribe(onPushes: (pushes: Push[]) => void): Promise<void> {
    this.push = onPushes;
  }

  async rpc(call: Call): Promise<CallReply> {
    if (call.to !== "workspace") throw new Error("not asked here");
    const { request } = call;
    this.asked.push(request);
    if (request.cmd === "sendMessage" && this.refuses) throw { code: "io", message: "It could not be kept.", detail: null };
    if (request.cmd === "getState") return { to: "workspace", reply: { reply: "state", value: { value: this.kept } } };
    if (request.cmd === "putState") this.kept = request.args.value;
    if (request.cmd !== "listMessages") return { to: "workspace", reply: { reply: "done" } };
    const { before, limit } = request.args;
    const until = before === null ? this.messages.length : this.messages.findIndex((one) => one.deltaId === before);
    const from = Math.max(0, until - limit);
    return { to: "workspace", reply: { reply: "messages", value: { messages: this.messages.slice(from, until), hasMore: from > 0 } } };
  }
}

async function open(messages: ChatMessage[], kept: string | null = null): Promise<{ chat: Chat; host: ToyHost }> {
  const host = new ToyHost(messages);
  host.kept = kept;
  const client = new Client(host);
  await client.start();
  const chat = new Chat(client);
  await chat.start();
  return { chat, host };
}

const hear = (host: ToyHost, data: ChatMessage): void => host.push([{ from: "workspace", event: { event: "message", data } }]);

describe("chat", () => {
  it("counts what others wrote since it was seen last, over starts", async () => {
    const { chat, host } = await open([message(1), message(2, true), message(3), message(4)], "m1");
    expect(chat.n_unread).toBe(2);
    chat.setShown(true);
    expect(chat.n_unread).toBe(0);
    expect(host.kept).toBe("m4");
    chat.setShown(false);
    hear(host, message(5));
    hear(host, message(6, true));
    expect(chat.n_unread).toBe(1);
    await chat.start();
    expect(chat.n_unread).toBe(0);
  });

  it("tells of what others write while nobody looks, once each", async () => {
    const { chat, host } = await open([message(1)]);
    const missed: string[] = [];
    chat.onMissed(({ deltaId }) => missed.push(deltaId));
    hear(host, message(2));
    hear(host, message(3, true));
    chat.setShown(true);
    hear(host, message(4));
    expect(missed).toEqual(["m2"]);
  });

  it("counts what was written offline and comes late, until it is seen", async () => {
    const { chat, host } = await open([message(1), message(5)], "m5");
    hear(host, message(3));
    expect(chat.n_unread).toBe(1);
    hear(host, message(3));
    hear(host, message(4, true));
    expect(chat.n_unread).toBe(1);
    chat.setShown(true);
    expect(chat.n_unread).toBe(0);
  });

  it("tells where a link leads by now", async () => {
    const pointing: ChatMessage = { ...message(1), link: { kind: "code", path: "a.rs", line: 3 } };
    const { chat, host } = await open([pointing, message(2)]);
    host.messages[0] = { ...pointing, link: { kind: "code", path: "b.rs", line: 4 } };
    expect(await chat.linkOf(pointing)).toEqual({ kind: "code", path: "b.rs", line: 4 });
    expect(chat.messages[0]?.link).toEqual({ kind: "code", path: "b.rs", line: 4 });
  });

  it("sends a link alone under its name", async () => {
    const { chat, host } = await open([]);
    chat.link = { kind: "code", path: "src/a.rs", line: 3 };
    host.refuses = true;
    await expect(chat.send()).rejects.toMatchObject({ code: "io" });
    expect([chat.text, chat.link]).toEqual(["", { kind: "code", path: "src/a.rs", line: 3 }]);
    host.refuses = false;
    await chat.send();
    expect(host.asked.at(-1)).toEqual({ cmd: "sendMessage", args: { text: "a.rs:3", link: { kind: "code", path: "src/a.rs", line: 3 } } });
  });

  it("has each message once, in the order of time, however it came", async () => {
    const { chat, host } = await open([message(2), message(3)]);
    hear(host, message(3));
    hear(host, message(1));
    expect(chat.messages.map((one) => one.deltaId)).toEqual(["m1", "m2", "m3"]);
    expect(merged([], [message(9), message(9)]).length).toBe(1);
  });

  it("goes back page by page", async () => {
    const { chat } = await open(Array.from({ length: 120 }, (_, index) => message(index)));
    expect([chat.messages.length, chat.hasOlder]).toEqual([50, true]);
    await chat.loadOlder();
    await chat.loadOlder();
    expect([chat.messages.length, chat.hasOlder, chat.messages[0]?.deltaId]).toEqual([120, false, "m0"]);
  });

  it("keeps what could not be sent", async () => {
    const { chat, host } = await open([]);
    chat.typed("look here");
    expect(chatWriting.isOn).toBe(true);
    host.refuses = true;
    await expect(chat.send()).rejects.toMatchObject({ code: "io" });
    expect(chat.text).toBe("look here");
    host.refuses = false;
    chat.link = { kind: "code", path: "a.rs", line: 3 };
    await chat.send();
    expect(host.asked.at(-1)).toEqual({ cmd: "sendMessage", args: { text: "look here", link: { kind: "code", path: "a.rs", line: 3 } } });
    expect([chat.text, chat.link, chatWriting.isOn]).toEqual(["", null, false]);
    await chat.send();
    expect(host.asked.filter((one) => one.cmd === "sendMessage").length).toBe(2);
  });

  it("leaves what is typed while a message is on its way", async () => {
    const { chat, host } = await open([]);
    chat.typed("first");
    const sending = chat.send();
    expect(chat.text).toBe("");
    chat.typed("second");
    chat.link = { kind: "code", path: "a.rs", line: 3 };
    await sending;
    expect([chat.text, chat.link]).toEqual(["second", { kind: "code", path: "a.rs", line: 3 }]);
    host.refuses = true;
    const refused = chat.send();
    chat.typed("third");
    await expect(refused).rejects.toMatchObject({ code: "io" });
    expect([chat.text, chat.link]).toEqual(["second\nthird", { kind: "code", path: "a.rs", line: 3 }]);
  });

  it("does not bring what could not be sent into the next workspace", async () => {
    const { chat, host } = await open([]);
    chat.typed("for those here");
    host.refuses = true;
    const refused = chat.send();
    chat.stop();
    await expect(refused).rejects.toMatchObject({ code: "io" });
    expect(chat.text).toBe("");
  });

  it("has nothing unread when it is on the screen as the workspace opens", async () => {
    const { chat, host } = await open([message(1), message(2)], "m1");
    chat.setShown(true);
    host.kept = "m1";
    await chat.start();
    expect([chat.n_unread, host.kept]).toEqual([0, "m2"]);
  });
});
