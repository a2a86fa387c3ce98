/** Whether the person here writes a message just now, for whatever tells the others where they are. Only the chat sets it. */
class ChatWriting {
  isOn = $state(false);
}

export const chatWriting = new ChatWriting();
