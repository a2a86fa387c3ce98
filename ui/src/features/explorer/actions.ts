/** What the explorer does to files, and what is said about it. Every act is one the engine can take back. */
import type { DeletedFile } from "../../api/generated";
import { baseName, copyName, isWithin, join, parentOf } from "../../base/paths";
import { plural } from "../../base/words";
import { past } from "../../state/past.svelte";
import type { NameEdit } from "../../state/files.svelte";
import { progress } from "../../state/progress.svelte";
import type { Workbench } from "../../workbench/workbench";

interface Deleted {
  path: string;
  /** What takes it back; null when history did not have it. */
  groupId: string | null;
  isInTrash: boolean;
}

/** What became of what was deleted, as far as it is true of all of it. */
export function deletedSentence(deleted: readonly Deleted[]): string {
  const [first] = deleted;
  const what = deleted.length === 1 ? `“${baseName(first?.path ?? "")}”` : plural(deleted.length, "item");
  const isInTrash = deleted.every((one) => one.isInTrash);
  const isInHistory = deleted.every((one) => one.groupId !== null);
  if (isInTrash) return `Moved ${what} to the trash.${isInHistory ? " History keeps it, too." : ""}`;
  return isInHistory ? `Deleted ${what}. History keeps it.` : `Deleted ${what}. Each is in the trash or in history.`;
}

export class ExplorerActions {
  constructor(private readonly workbench: Workbench) {}

  /** Files can be changed: not in the past, not on a full disk. */
  get canChange(): boolean {
    return past.moment === null && !this.workbench.session.isReadOnly;
  }

  async finishName(edit: NameEdit, typed: string): Promise<void> {
    const { client, files, editors } = this.workbench;
    const name = typed.trim().replace(/\/+$/, "");
    files.edit = null;
    if (name === "") return;
    const path = join(edit.parent, name);
    await this.#say(async () => {
      if (edit.act === "rename") await this.#rename(edit.path ?? "", path);
      else if (edit.act === "newFolder" || typed.trim().endsWith("/")) {
        await client.ask({ cmd: "createFolder", args: { path } });
        await files.load(edit.parent);
        await files.expand(path);
        files.selectOnly(path);
      } else {
        await client.ask({ cmd: "createFile", args: { path, text: "" } });
        await files.load(edit.parent);
        await files.reveal(path);
        editors.open(path);
      }
    });
  }

  async #rename(from: string, to: string): Promise<void> {
    if (from === to) return;
    const { client, files, editors } = this.workbench;
    await client.ask({ cmd: "rename", args: { from, to } });
    files.renamed(from, to);
    editors.renamed(from, to);
    await Promise.all([files.load(parentOf(from)), files.load(parentOf(to))]);
    await files.reveal(to);
  }

  /** Moves files into a folder; what lies there already is left where it is. */
  async move(paths: readonly string[], folder: string): Promise<void> {
    const movable = paths.filter((path) => parentOf(path) !== folder && !isWithin(folder, path));
    await this.#say(async () => {
      for (const path of movable) await this.#rename(path, join(folder, baseName(path)));
    });
    if (movable.length > 0 && folder !== "") await this.workbench.files.expand(folder);
  }

  async delete(paths: readonly string[]): Promise<void> {
    const { files, notices } = this.workbench;
    if (paths.length === 0) return;
    const done: Deleted[] = [];
    await this.#say(async () => {
      for (const path of paths) {
        done.push({ path, ...(await this.#deleteOne(path)) });
      }
    });
    if (done.length === 0) return;
    files.selected = new Set();
    const canUndo = done.some(({ groupId }) => groupId !== null);
    notices.toast(deletedSentence(done), canUndo ? { buttons: [{ label: "Undo", run: () => void this.#undelete(done) }] } : {});
    await this.#reload(done.map(({ path }) => path));
  }

  async #deleteOne(path: string): Promise<Omit<Deleted, "path">> {
    const { client, session } = this.workbench;
    if (session.settings.enableTrash) {
      const { groupId, inTrash } = await client.get("trashed", { cmd: "moveToTrash", args: { path } });
      return { groupId, isInTrash: inTrash };
    }
    const { groupId } = await client.get("restored", { cmd: "delete", args: { path } });
    return { groupId, isInTrash: false };
  }

  /** Takes deletions back, the last one first: each is one act of the engine, empty folders included. */
  async #undelete(deleted: readonly Deleted[]): Promise<void> {
    const { client, files, layout } = this.workbench;
    await this.#say(async () => {
      for (const { groupId } of [...deleted].reverse()) {
        if (groupId === null) continue;
        const undone = await client.get("undone", { cmd: "undoGroup", args: { groupId } });
        if (undone.kind === "applied") this.#markPresent(undone.paths);
        else layout.say(undone.message ?? "Nothing to undo.", 4_000);
      }
    });
    await Promise.all([this.#reload(deleted.map(({ path }) => path)), files.loadDeleted()]);
  }

  async #reload(paths: readonly string[]): Promise<void> {
    await Promise.all([...new Set(paths.map(parentOf))].map((folder) => this.workbench.files.load(folder)));
  }

  async bringBack(file: DeletedFile): Promise<void> {
    const { client, files, editors, notices } = this.workbench;
    await this.#say(async () => {
      await client.ask({ cmd: "undelete", args: { fileId: file.fileId } });
      this.#markPresent([file.path]);
      await files.loadDeleted();
      await files.load(parentOf(file.path));
      await files.reveal(file.path);
      editors.open(file.path);
      notices.toast(`Brought back “${baseName(file.path)}”.`);
    });
  }

  #markPresent(paths: readonly string[]): void {
    for (const path of paths) this.workbench.editors.tabs.setGone(path, false);
  }

  async duplicate(path: string): Promise<void> {
    const { client, files } = this.workbench;
    const folder = parentOf(path);
    const taken = new Set(files.entriesOf(folder).map((entry) => entry.name));
    const to = join(folder, copyName(baseName(path), (name) => taken.has(name)));
    await this.#say(async () => {
      await client.ask({ cmd: "duplicate", args: { path, to } });
      await files.load(folder);
      await files.reveal(to);
    });
  }

  /** Puts the cut or copied files into a folder. */
  async paste(folder: string): Promise<void> {
    const { client, files } = this.workbench;
    const { clipboard } = files;
    if (clipboard === null) return;
    if (clipboard.isCut) {
      await this.move(clipboard.paths, folder);
      files.clipboard = null;
      return;
    }
    await this.#say(async () => {
      if (folder !== "") await files.expand(folder);
      for (const path of clipboard.paths) {
        const taken = new Set(files.entriesOf(folder).map((entry) => entry.name));
        const name = baseName(path);
        const to = join(folder, taken.has(name) ? copyName(name, (one) => taken.has(one)) : name);
        await client.ask({ cmd: "duplicate", args: { path, to } });
        await files.load(folder);
        files.selectOnly(to);
      }
    });
  }

  /** Takes in files dropped from outside. */
  async importFiles(sources: readonly string[], folder: string): Promise<void> {
    const { client, files, layout, notices } = this.workbench;
    if (!this.canChange) {
      layout.say("Nothing can be copied in here now.", 4_000);
      return;
    }
    let n_taken = 0;
    const far = (): string => `Copying ${n_taken + 1} of ${plural(sources.length, "file")}`;
    await this.#say(() =>
      progress.track(far(), async (work) => {
        for (const source of sources) {
          if (work.isStopped) return;
          work.say(far());
          const name = source.slice(source.replace(/\\/g, "/").lastIndexOf("/") + 1);
          const taken = new Set(files.entriesOf(folder).map((entry) => entry.name));
          const path = join(folder, taken.has(name) ? copyName(name, (one) => taken.has(one)) : name);
          await client.ask({ cmd: "importFile", args: { source, path } });
          await files.load(folder);
          n_taken += 1;
        }
      }, { onStop: () => undefined }),
    );
    if (n_taken > 0) notices.toast(`Copied ${plural(n_taken, "file")} into ${folder === "" ? "the workspace" : `“${folder}”`}.`);
  }

  async #say(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      this.workbench.notices.fail(cause);
    }
  }
}
