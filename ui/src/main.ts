/** Picks what stands behind the page, and starts the window with its features. */
import "@vscode/codicons/dist/codicon.css";
import "./ui/controls.css";
import "./ui/parts.css";
import { contribute as chat } from "./features/chat/contribution";
import { contribute as compare } from "./features/compare/contribution";
import { contribute as explorer } from "./features/explorer/contribution";
import { contribute as follow } from "./features/follow/contribution";
import { contribute as help } from "./features/help/contribution";
import { contribute as people } from "./features/people/contribution";
import { contribute as merge } from "./features/merge/contribution";
import { contribute as quickpick } from "./features/quickpick/contribution";
import { contribute as search } from "./features/search/contribution";
import { contribute as settings } from "./features/settings/contribution";
import { contribute as timeline } from "./features/timeline/contribution";
import { contribute as welcome } from "./features/welcome/contribution";
import type { Host } from "./platform/host";
import { TauriHost, isInTauri } from "./platform/tauri";
import { start } from "./workbench/start.svelte";

async function pickHost(): Promise<Host> {
  // Only while developing: the product has no engine in memory, and its build no trace of one.
  if (import.meta.env.DEV && !isInTauri()) {
    const { FakeHost } = await import("./platform/fake");
    return new FakeHost();
  }
  return new TauriHost();
}

await start(await pickHost(), [welcome, explorer, search, people, compare, quickpick, settings, help, timeline, follow, chat, merge]);
