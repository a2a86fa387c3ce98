/** About, and the keyboard shortcuts. */
import { API_VERSION } from "../../api/generated";
import { bytes } from "../../base/words";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import About from "./About.svelte";
import RegionHelp from "./RegionHelp.svelte";
import { regionHelp, regionOf } from "./regionHelp.svelte";
import Keys from "./Keys.svelte";

export function contribute(workbench: Workbench): void {
  const { commands, layout, slots, editors, session, copyText } = workbench;
  slots.addOverlay(fill(About, () => ({ workbench })));
  slots.addOverlay(fill(RegionHelp, () => ({ commands })));
  slots.addPage({ id: "keys", title: "Keyboard shortcuts", icon: "keyboard", filling: fill(Keys, () => ({ workbench })) });
  commands.registerAll([
    {
      id: "help.diagnostics",
      title: "Copy diagnostics",
      category: "Help",
      run: async () => {
        await copyText(await diagnostics(workbench));
        layout.say("Copied the diagnostics");
      },
    },
    {
      id: "help.region",
      title: "Help for this part of the window",
      category: "Help",
      keys: ["Alt+F1"],
      run: () => (regionHelp.open = regionOf(document.activeElement)),
    },
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

/** What somebody who helps would ask for: versions and counts, no names of files and no text. */
async function diagnostics({ client, session }: Workbench): Promise<string> {
  const { version = "", platform = "" } = session.started ?? {};
  const about = [`CodeSync ${version}, contract ${API_VERSION}`, `System: ${platform}`, `Web view: ${navigator.userAgent}`];
  if (session.workspace === null) return about.join("\n");
  const { nFiles, nDeltas, nMoments, nIgnored, historyBytes, save, refused } = await client.get("status", { cmd: "status" });
  const counts = [
    `Workspace: ${nFiles} files, ${nIgnored} ignored, ${refused.length} not taken in`,
    `History: ${nDeltas} deltas, ${nMoments} moments, ${bytes(historyBytes)}`,
    `Saving: ${save.kind}, ${save.nUnwritten} to be written`,
  ];
  return [...about, ...counts].join("\n");
}
