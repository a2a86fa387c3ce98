/** Find and replace in all files: its view and its commands. */
import type { Command } from "../../commands/registry.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { SearchActions } from "./actions.svelte";
import { globOfFolder } from "./globs";
import ReplaceDialog from "./ReplaceDialog.svelte";
import { Search } from "./search.svelte";
import SearchView from "./SearchView.svelte";

const ID = "search";

export function contribute(workbench: Workbench): void {
  const { client, commands, layout, session, slots } = workbench;
  const search = new Search(client, () => layout.isSideShown && layout.sideView === ID);
  const actions = new SearchActions(workbench, search);
  slots.addSideView({ id: ID, title: "Search", icon: "search", filling: fill(SearchView, () => ({ workbench, actions })) });
  slots.addOverlay(fill(ReplaceDialog, () => ({ actions })));
  commands.registerAll([...openCommands(workbench, search), ...fieldCommands(workbench, search), ...resultCommands(workbench, actions)]);
  session.onClosing(() => {
    actions.question = null;
    search.reset();
  });
}

function inView(): boolean {
  return document.activeElement?.closest("[data-testid='search-view']") != null;
}

function inResults(): boolean {
  return document.activeElement?.closest("[data-testid='search-results']") != null;
}

/** Once the view is drawn. */
function focusField(id: "search-text" | "search-replacement" | "search-include"): void {
  setTimeout(() => {
    const field = document.querySelector<HTMLInputElement>(`[data-testid='${id}']`);
    field?.focus();
    field?.select();
  });
}

function openCommands({ layout, session, editors }: Workbench, search: Search): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  /** What is marked in the text is what is looked for. */
  const seed = (): void => {
    if (inView()) return;
    const editor = editors.activeEditor;
    const selection = editor?.getSelection();
    const marked = selection == null || selection.isEmpty() ? "" : (editor?.getModel()?.getValueInRange(selection) ?? "");
    if (marked === "" || marked.includes("\n")) return;
    search.text = search.isRegex ? marked.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : marked;
    void search.run();
  };
  const show = (): void => {
    seed();
    layout.showSideView(ID);
    void search.refresh();
  };
  return [
    {
      id: "search.open",
      title: "Find in files…",
      category: "Search",
      keys: ["Ctrl+Shift+F"],
      when: isOpen,
      run: () => {
        show();
        focusField("search-text");
      },
    },
    {
      id: "search.openReplace",
      title: "Replace in files…",
      category: "Search",
      keys: ["Ctrl+Shift+H"],
      when: isOpen,
      run: () => {
        show();
        search.isReplaceShown = true;
        focusField(search.text === "" ? "search-text" : "search-replacement");
      },
    },
    {
      id: "search.inFolder",
      title: "Find in folder…",
      category: "Search",
      isHidden: true,
      when: isOpen,
      run: (path) => {
        if (typeof path !== "string") return;
        search.include = path === "" ? "" : globOfFolder(path);
        search.areGlobsShown = true;
        layout.showSideView(ID);
        if (search.text !== "") void search.run();
        focusField("search-text");
      },
    },
  ];
}

function fieldCommands({ session }: Workbench, search: Search): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  const toggle = (id: string, title: string, key: string, which: "matchCase" | "wholeWord" | "isRegex"): Command => ({
    id,
    title,
    category: "Search",
    keys: [key],
    when: isOpen,
    keysWhen: inView,
    checked: () => search[which],
    run: () => {
      search[which] = !search[which];
      if (search.text !== "") search.typed();
    },
  });
  return [
    toggle("search.matchCase", "Match case in files", "Alt+C", "matchCase"),
    toggle("search.wholeWord", "Whole words in files", "Alt+W", "wholeWord"),
    toggle("search.regex", "Regular expression in files", "Alt+R", "isRegex"),
    {
      id: "search.details",
      title: "Choose the files to search",
      category: "Search",
      keys: ["Ctrl+Shift+J"],
      when: isOpen,
      keysWhen: inView,
      checked: () => search.areGlobsShown,
      run: () => {
        search.areGlobsShown = !search.areGlobsShown;
        focusField(search.areGlobsShown ? "search-include" : "search-text");
      },
    },
  ];
}

function resultCommands({ session, commands }: Workbench, actions: SearchActions): Command[] {
  const { search } = actions;
  const isOpen = (): boolean => session.workspace !== null;
  const hasResults = (): boolean => isOpen() && search.files.length > 0;
  const all: Omit<Command, "category">[] = [
    { id: "search.next", title: "Next search result", keys: ["F4"], when: hasResults, run: () => actions.step(1) },
    { id: "search.previous", title: "Previous search result", keys: ["Shift+F4"], when: hasResults, run: () => actions.step(-1) },
    { id: "search.again", title: "Search again", when: () => isOpen() && search.text !== "", run: () => search.run() },
    { id: "search.stop", title: "Stop the search", when: () => search.isRunning, run: () => search.stop() },
    { id: "search.clear", title: "Clear the search", when: () => isOpen() && (search.text !== "" || search.files.length > 0), run: () => search.clear() },
    { id: "search.closeAll", title: "Close all files of the search", when: hasResults, run: () => search.closeAll() },
    { id: "search.openAll", title: "Open all files of the search", when: hasResults, run: () => search.openAll() },
    {
      id: "search.replaceMarked",
      title: "Replace the marked result",
      keys: ["Ctrl+Shift+1"],
      when: () => hasResults() && search.isReplaceShown && actions.whyNoReplace === null,
      keysWhen: inResults,
      run: () => {
        const row = search.rows.find((one) => one.id === search.focusedId);
        return row === undefined ? undefined : actions.replaceRow(row);
      },
    },
    {
      id: "search.replaceAll",
      title: "Replace all results…",
      keys: ["Ctrl+Alt+Enter"],
      when: () => isOpen() && search.isReplaceShown && actions.canReplaceAll,
      keysWhen: inView,
      run: () => actions.askToReplaceAll(),
    },
    { id: "search.inThePast", title: "Search in the past for this text", isHidden: true, when: isOpen, run: () => commands.run("timeline.search", search.text) },
  ];
  return all.map((command) => ({ ...command, category: "Search" }));
}
