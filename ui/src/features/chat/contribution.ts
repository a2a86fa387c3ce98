/** Chat and activity: two views at the right, which nobody but the person here opens. */
import { Activity } from "../../state/activity.svelte";
import { Chat } from "../../state/chat.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import ActivityView from "./Activity.svelte";
import ChatView from "./Chat.svelte";

export function contribute(workbench: Workbench): void {
  const { client, session, people, slots, layout, commands } = workbench;
  const chat = new Chat(client);
  const activity = new Activity(client);
  // Alone, the window is a plain editor.
  const isOffered = (): boolean => !people.isAlone || chat.messages.length > 0 || (layout.isRightShown && layout.rightView === "chat");
  slots.addRightView({ id: "chat", title: "Chat", icon: "comment-discussion", filling: fill(ChatView, () => ({ workbench, chat })), badge: () => chat.n_unread, isOffered });
  slots.addRightView({ id: "activity", title: "Activity", icon: "list-unordered", filling: fill(ActivityView, () => ({ workbench, activity })), badge: () => 0, isOffered: () => false });
  session.onOpened(() => void chat.start());
  session.onClosing(() => chat.stop());

  const isOpen = (): boolean => session.workspace !== null;
  const write = (): void => {
    layout.showRightView("chat");
    setTimeout(() => document.querySelector<HTMLElement>("[data-testid='chat-field']")?.focus());
  };
  commands.registerAll([
    { id: "chat.show", title: "Chat", category: "People", keys: ["Ctrl+K C"], when: isOpen, checked: () => layout.isRightShown && layout.rightView === "chat", run: write },
    {
      id: "chat.writeTo",
      title: "Message",
      category: "People",
      isHidden: true,
      when: isOpen,
      run: (device) => {
        const name = typeof device === "string" ? people.member(device)?.person : undefined;
        if (name !== undefined && chat.text.trim() === "") chat.typed(`@${name} `);
        write();
      },
    },
    { id: "activity.show", title: "Activity", category: "View", when: isOpen, checked: () => layout.isRightShown && layout.rightView === "activity", run: () => layout.showRightView("activity") },
  ]);
}
