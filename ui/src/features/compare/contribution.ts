/** Two files beside each other. */
import type { Command } from "../../commands/registry.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { Compare } from "./compare.svelte";
import ComparePage from "./ComparePage.svelte";

export function contribute(workbench: Workbench): void {
  const { commands, slots, session } = workbench;
  const compare = new Compare();
  slots.addPage({
    id: "compare",
    get title() {
      return compare.title;
    },
    icon: "diff",
    filling: fill(ComparePage, () => ({ workbench, compare })),
  });
  session.onClosing(() => compare.reset());
  commands.registerAll(compareCommands(workbench, compare));
}

function compareCommands({ editors, files, layout, session }: Workbench, compare: Compare): Command[] {
  const focused = (argument: unknown): string | null => {
    const path = typeof argument === "string" && argument !== "" ? argument : editors.activePath;
    return path === null || files.entry(path)?.kind === "folder" ? null : path;
  };
  const isOpen = (): boolean => session.workspace !== null;
  return [
    {
      id: "compare.select",
      title: "Select for compare",
      category: "File",
      when: isOpen,
      run: (argument) => {
        compare.selected = focused(argument);
        if (compare.selected !== null) layout.say("Now choose the other file", 4_000);
      },
    },
    {
      id: "compare.withSelected",
      title: "Compare with selected",
      category: "File",
      when: () => isOpen() && compare.selected !== null,
      run: (argument) => {
        const path = focused(argument);
        if (path === null || path === compare.selected) return;
        compare.with(path);
        editors.openPage("compare");
      },
    },
  ];
}
