/** What can be done with a person, the same wherever the person is shown. Titles and keys are the commands' own. */
import type { Member, Role } from "../api/generated";
import type { MenuEntry } from "../ui/menu.svelte";
import { entriesFor } from "./menus";
import type { Workbench } from "./workbench";

export const ROLE_TITLES: Readonly<Record<Role, string>> = { viewer: "Viewer", editor: "Editor", owner: "Owner" };

const WITH_PERSON: readonly string[] = ["follow.person", "follow.goTo", "follow.bringOne", "-", "follow.mute", "chat.writeTo", "-"];

type Surroundings = Pick<Workbench, "commands" | "people">;

export function memberMenu({ commands, people }: Surroundings, member: Member): MenuEntry[] {
  if (member.isSelf) return entriesFor(commands, ["people.invite", "-", "people.leave"]);
  const entries = entriesFor(commands, WITH_PERSON, member.device);
  if (entries.length > 0) entries.push({ kind: "line" });
  entries.push({ kind: "sub", id: "people.role", label: "Role", isEnabled: people.isOwner, entries: roleEntries({ commands, people }, member) });
  entries.push({ kind: "line" });
  entries.push({ kind: "item", id: "people.remove", label: "Remove…", isEnabled: people.isOwner, run: () => commands.run("people.remove", member.device) });
  return entries;
}

export function roleEntries({ commands, people }: Surroundings, member: Member): MenuEntry[] {
  return (["editor", "viewer", "owner"] as const).map((role): MenuEntry => ({
    kind: "item",
    id: `people.role-${role}`,
    label: ROLE_TITLES[role],
    isEnabled: people.isOwner,
    isChecked: member.role === role,
    run: () => commands.run("people.setRole", { device: member.device, role }),
  }));
}
