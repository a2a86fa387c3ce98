/** About, and the keyboard shortcuts. */
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import About from "./About.svelte";
import Keys from "./Keys.svelte";

export function contribute(workbench: Workbench): void {
  const { commands, layout, slots, editors, session } = workbench;
  slots.addOverlay(fill(About, () => ({ workbench })));
  slots.addPage({ id: "keys", title: "Keyboard shortcuts", icon: "keyboard", filling: fill(Keys, () => ({ workbench })) });
  commands.registerAll([
    { id: "help.about", title: "About CodeSync", category: "Help", run: () => (layout.isAboutShown = true) },
    {
      id: "help.keys",
      title: "Keyboard shortcuts",
      category: "Help",
      keys: ["Ctrl+K Ctrl+S"],
      when: () => session.workspace !== null,
      run: () => editors.openPage("keys"),
    },
  ]);
}
