/** What the following hears from the window: where the others are, which files have arrived. As long as the window. */
import { untrack } from "svelte";
import { past } from "../../state/past.svelte";
import type { Workbench } from "../../workbench/workbench";
import type { Follow } from "./follow.svelte";
import type { OwnPlace } from "./ownPlace.svelte";

export function bindToWorkbench({ people, editors }: Workbench, follow: Follow, own: OwnPlace): void {
  $effect.root(() => {
    own.begin();
    // Where they are now, and whether what they look at has arrived here.
    $effect(() => {
      void [people.presences, people.together];
      for (const group of editors.tabs.groups) void [group.activeId, editors.pane(group).file, editors.pane(group).editor];
      untrack(() => {
        follow.followWhoLetIn();
        follow.apply();
      });
    });
    $effect(() => {
      void [editors.files, editors.tabs.groups.map((group) => group.active?.path)];
      untrack(() => {
        follow.checkPath();
        follow.followWhoLetIn();
      });
    });
    // The past is looked at by oneself: nobody leads to another file meanwhile.
    $effect(() => {
      if (past.moment !== null) untrack(() => follow.stop());
    });
  });
}
