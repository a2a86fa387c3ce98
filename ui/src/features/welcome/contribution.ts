/** The page that is shown without a workspace. */
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import Welcome from "./Welcome.svelte";

export function contribute(workbench: Workbench): void {
  workbench.slots.welcome = fill(Welcome, () => ({ workbench }));
}
