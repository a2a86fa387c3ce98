// Checks that the parts of the window import only what stands above them. `npm run check` runs it.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
// Each may import itself and what stands before it.
const ORDER = ["base", "ui", "platform", "api", "state", "editor", "commands", "workbench", "features", "main.ts"];
const rank = (part) => ORDER.indexOf(part);
// The host speaks the contract's types, and the client speaks to a host.
const ALSO = new Set(["platform>api"]);

function filesIn(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesIn(path);
    return /\.(ts|svelte)$/.test(name) ? [path] : [];
  });
}

const faults = [];
for (const file of filesIn(SOURCE)) {
  const here = relative(SOURCE, file);
  const part = here.split("/")[0];
  if (rank(part) < 0 && part !== "vite-env.d.ts") faults.push(`${here}: not in a known part`);
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n").length;
  if (file.endsWith(".svelte") && lines > 320) faults.push(`${here}: ${lines} lines; a component this long does two things`);
  for (const [, wanted] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    if (wanted.startsWith("@tauri-apps") && here !== "platform/tauri.ts") faults.push(`${here}: only platform/tauri.ts may import ${wanted}`);
    if (!wanted.startsWith(".")) continue;
    const target = relative(SOURCE, normalize(join(dirname(file), wanted)));
    const other = target.split("/")[0];
    if (ALSO.has(`${part}>${other}`)) continue;
    if (rank(other) > rank(part)) faults.push(`${here}: ${part} must not import ${target}`);
    const isFeature = part === "features" && other === "features";
    if (isFeature && here.split("/")[1] !== target.split("/")[1]) faults.push(`${here}: features do not import each other (${target})`);
  }
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log("layers: in order");
