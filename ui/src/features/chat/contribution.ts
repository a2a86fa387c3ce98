/** Chat and activity: two views at the right, which nobody but the person here opens. */
import { Activity } from "../../state/activity.svelte";
import { Chat } from "../../state/chat.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import ActivityView from "./Activity.svelte";
import ChatView from "./Chat.svelte";
import { isNamed } from "./mentions";

export function contribute(workbench: Workbench): void {
  const { client, session, people, slots, layout, commands, notices } = workbench;
  const chat = new Chat(client);
  const activity = new Activity(client, people);
  // Alone, the window is a plain editor.
  const isOffered = (): boolean => !people.isAlone || chat.messages.length > 0 || (layout.isRightShown && layout.rightView === "chat");
  slots.addRightView({ id: "chat", title: "Chat", icon: "comment-discussion", filling: fill(ChatView, () => ({ workbench, chat })), badge: () => chat.n_unread, isOffered });
  slots.addRightView({ id: "activity", title: "Activity", icon: "list-unordered", filling: fill(ActivityView, () => ({ workbench, activity })), badge: () => 0, isOffered: () => false });
  session.onOpened(() => {
    // While it was being opened, the one before may still have been told of.
    activity.forget();
    void chat.start();
  });
  session.onClosing(() => {
    chat.stop();
    activity.forget();
  });

  const isOpen = (): boolean => session.workspace !== null;
  const write = (): void => {
    layout.showRightView("chat");
    setTimeout(() => document.querySelector<HTMLElement>("[data-testid='chat-field']")?.focus());
  };
  // The chat shows itself to nobody; whoever is named is told once.
  chat.onMissed(({ person, text }) => {
    const own = { names: people.self === null ? [] : people.namesOf(people.self.device) };
    if (!isNamed(text, own, people.members.flatMap((one) => people.namesOf(one.device)))) return;
    notices.toast(`${person}: ${shortened(text)}`, { buttons: [{ label: "Read", run: write }] });
  });
  commands.registerAll([
    { id: "chat.show", title: "Chat", category: "People", keys: ["Ctrl+K C"], when: isOpen, checked: () => layout.isRightShown && layout.rightView === "chat", run: write },
    {
      id: "chat.writeTo",
      title: "Message",
      category: "People",
      isHidden: true,
      when: isOpen,
      run: (device) => {
        const name = typeof device === "string" && people.member(device) !== null ? people.nameOf(device) : undefined;
        if (name !== undefined && chat.text.trim() === "") chat.typed(`@${name} `);
        write();
      },
    },
    { id: "activity.show", title: "Activity", category: "View", when: isOpen, checked: () => layout.isRightShown && layout.rightView === "activity", run: () => layout.showRightView("activity") },
  ]);
}

const TOLD_MAX = 140;

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= TOLD_MAX ? line : `${line.slice(0, TOLD_MAX - 1)}…`;
}
