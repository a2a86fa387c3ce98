/** The settings page. */
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import Settings from "./Settings.svelte";

export function contribute(workbench: Workbench): void {
  const { commands, slots, editors, session } = workbench;
  slots.addPage({ id: "settings", title: "Settings", icon: "settings-gear", filling: fill(Settings, () => ({ workbench })) });
  commands.register({
    id: "settings.open",
    title: "Settings",
    category: "File",
    keys: ["Ctrl+,"],
    when: () => session.workspace !== null,
    run: () => editors.openPage("settings"),
  });
}
