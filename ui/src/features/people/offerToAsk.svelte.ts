/** The link in MSG-ROLE-1, at the caret of a viewer who types, does what the command does. */
import { ASK_TO_EDIT } from "../../workbench/editorOptions";
import type { Workbench } from "../../workbench/workbench";

export function offerToAsk({ editors, commands }: Workbench): void {
  $effect.root(() => {
    // The text editor is loaded with the first workspace.
    $effect(() => {
      const command = editors.monaco?.editor.registerCommand(ASK_TO_EDIT, () => commands.run("people.askToEdit"));
      return () => command?.dispose();
    });
  });
}
