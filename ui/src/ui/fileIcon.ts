/** Which codicon stands for a file, by its ending. */

const BY_ENDING: Record<string, string> = {
  md: "markdown",
  json: "json",
  jsonc: "json",
  png: "file-media",
  jpg: "file-media",
  jpeg: "file-media",
  gif: "file-media",
  svg: "file-media",
  webp: "file-media",
  ico: "file-media",
  mp4: "file-media",
  zip: "file-zip",
  gz: "file-zip",
  tar: "file-zip",
  xz: "file-zip",
  pdf: "file-pdf",
  toml: "settings",
  yml: "settings",
  yaml: "settings",
  ini: "settings",
  sh: "terminal",
  bash: "terminal",
  lock: "lock",
  py: "python",
  rb: "ruby",
  sql: "database",
};

const CODE = new Set("rs ts tsx js jsx mjs cjs c h cpp hpp cc cs java kt go swift php lua html css scss svelte vue hs ml ex exs clj scala dart zig".split(" "));

export function fileIcon(name: string, isBinary = false): string {
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
  const known = BY_ENDING[ending];
  if (known !== undefined) return known;
  if (CODE.has(ending)) return "file-code";
  return isBinary ? "file-binary" : "file";
}
