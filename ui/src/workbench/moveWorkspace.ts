/** Takes the workspace to another folder, chosen by the person. What is copied, checked and removed is the shell's. */
import { bytes, plural } from "../base/words";
import { progress } from "../state/progress.svelte";
import type { Workbench } from "./workbench";

export async function moveWorkspace({ client, session, notices, commands }: Workbench): Promise<void> {
  const { workspace } = session;
  if (workspace === null) return;
  const title = `Choose the folder that “${workspace.name}” is to be moved into`;
  const { path: into } = await client.getApp("path", { cmd: "pickFolder", args: { title } });
  if (into === null) return;
  const words = `Moving “${workspace.name}”`;
  const stop = (): void => {
    client.app({ cmd: "cancelMove" }).catch((cause: unknown) => commands.fail(cause));
  };
  await progress.track(
    `${words}…`,
    async (work) => {
      const listening = client.onAppEvent((event) => {
        if (event.event === "moveProgress") work.say(far(words, event.data.doneBytes, event.data.totalBytes));
      });
      try {
        await client.getApp("path", { cmd: "prepareMove", args: { into } });
        if (work.isStopped) return;
        work.say(`${words}…`);
        sayMoved(workspace.root, await session.finishMove());
      } catch (cause) {
        if (!work.isStopped) throw cause;
        notices.toast("Stopped. Everything is where it was.");
      } finally {
        listening.dispose();
      }
    },
    { onStop: stop, done: `“${workspace.name}” was moved.` },
  );

  function sayMoved(before: string, { root, left, unsaved }: { root: string; left: string[]; unsaved: string | null }): void {
    notices.toast(`Moved to ${root}.`);
    if (left.length > 0) {
      const show = (): void => commands.run("file.revealInFileManager", before);
      const text = `${plural(left.length, "item")} changed meanwhile and stayed in the old folder.`;
      notices.toast(text, { stays: true, detail: left.slice(0, 20).join("\n"), buttons: [{ label: "Show in file manager", run: show }] });
    }
    if (unsaved !== null) {
      const text = `The newest edits did not fit there either. They are in ${unsaved}: open that file when there is room.`;
      notices.toast(text, { stays: true, isUrgent: true });
    }
  }
}

function far(words: string, done_bytes: number, total_bytes: number): string {
  const percent = total_bytes === 0 ? 100 : Math.floor((100 * done_bytes) / total_bytes);
  return `${words}: ${percent} % of ${bytes(total_bytes)}`;
}
