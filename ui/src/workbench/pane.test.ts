import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ViewEdit } from "../api/generated";
import { EditorLink } from "../editor/link";
import type { OpenFile, OpenFiles } from "../editor/models.svelte";
import { Pane } from "./pane.svelte";
import { ToyEditor, ToyModel } from "./toyEditor";

const HOST = {} as HTMLElement;

/** Files that open at once, save those whose names begin with "large" (no text) or "gone" (refused). */
class ToyFiles {
  readonly sent: ViewEdit[] = [];
  readonly held = new Map<string, OpenFile>();
  refuses = false;

  async open(path: string): Promise<OpenFile> {
    if (this.refuses || path.startsWith("gone")) throw { code: "notFound", message: "It is not there.", detail: null };
    const file = this.held.get(path) ?? this.#make(path);
    this.held.set(path, file);
    return file;
  }

  #make(path: string): OpenFile {
    const isLarge = path.startsWith("large");
    const surface = { snapshot: () => ({ read: () => null }), apply: () => undefined, replaceAll: () => undefined };
    const port = { edit: (edit: ViewEdit) => void this.sent.push(edit), resync: () => undefined };
    const link = isLarge ? null : new EditorLink(port, surface, 0, "0123456789");
    return { path, lastPath: path, link, model: isLarge ? null : new ToyModel("0123456789") } as unknown as OpenFile;
  }

  release(): void {
    // Nothing is counted here.
  }
}

function setUp(): { pane: Pane; editor: ToyEditor; files: ToyFiles; detach: () => void } {
  const files = new ToyFiles();
  const editor = new ToyEditor();
  const pane = new Pane(() => files as unknown as OpenFiles);
  const detach = pane.attach(editor.asMonaco, HOST, {});
  return { pane, editor, files, detach };
}

beforeEach(() => {
  vi.stubGlobal("document", { activeElement: null, body: {} });
});

describe("a composition", () => {
  it.each(["another file", "no pane"])("ends when the pane shows %s, and what is typed next is sent", async (what) => {
    const { pane, editor, files, detach } = setUp();
    await pane.show("a.txt");
    const link = pane.file?.link;
    editor.composition.start.fire();
    link?.localEdit([[0, 0, "e"]], false);
    expect(files.sent).toEqual([]);
    // The model is gone, and Monaco says no more of it.
    if (what === "no pane") detach();
    else await pane.show("b.txt");
    link?.localEdit([[1, 0, "x"]], true);
    expect(files.sent.map((edit) => edit.splices)).toEqual([[[0, 0, "e"]], [[1, 0, "x"]]]);
  });

  it("is left alone by another pane with the same file", async () => {
    const { pane, editor, files } = setUp();
    await pane.show("a.txt");
    const other = new Pane(() => files as unknown as OpenFiles);
    await other.show("a.txt");
    editor.composition.start.fire();
    await other.show(null);
    expect(pane.file?.link?.isComposing).toBe(true);
    editor.composition.end.fire();
    expect(pane.file?.link?.isComposing).toBe(false);
  });
});

describe("a place", () => {
  it.each(["gone.txt", "large.bin"])("in %s, which is not shown, is no place in the next file", async (path) => {
    const { pane, editor } = setUp();
    void pane.show(path);
    pane.goTo({ line: 1, column: 5 });
    await Promise.resolve();
    await pane.show("a.txt");
    expect([pane.file?.path, editor.caret]).toEqual(["a.txt", 0]);
  });

  it("is gone to when its file is there, however often it is asked for", async () => {
    const { pane, editor } = setUp();
    const shown = pane.show("a.txt");
    pane.goTo({ line: 1, column: 5 });
    void pane.show("a.txt");
    await shown;
    expect(editor.caret).toBe(4);
  });

  it("waits for a file that is asked for again", async () => {
    const { pane, editor, files } = setUp();
    files.refuses = true;
    const refused = pane.show("a.txt");
    pane.goTo({ line: 1, column: 5 });
    await refused;
    expect(pane.trouble?.code).toBe("notFound");
    files.refuses = false;
    await pane.show("a.txt");
    expect(editor.caret).toBe(4);
  });
});
