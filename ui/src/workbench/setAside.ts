/** What can be done about own changes that do not count (MSG-ROLE-5). */
import type { Notice } from "../api/generated";
import { MESSAGES } from "../base/messages";
import type { NoticeButton } from "../state/notices.svelte";
import type { Workbench } from "./workbench";

/** `path`: the folder where they are kept. */
export function setAsideButtons({ commands, people }: Pick<Workbench, "commands" | "people">, { path, becameViewer }: Notice): NoticeButton[] {
  const [see, ask] = MESSAGES["MSG-ROLE-5"].buttons;
  const seeing = path === null ? [] : [{ label: see, run: () => commands.run("file.revealInFileManager", path) }];
  // Whoever may edit again puts them in without asking.
  if (!becameViewer) return seeing;
  const { ownerNames } = people;
  const [host = "the owners"] = ownerNames.length === 1 ? ownerNames : [];
  return [...seeing, { label: ask.replace("{host}", host), run: () => commands.run("people.askToEdit") }];
}
