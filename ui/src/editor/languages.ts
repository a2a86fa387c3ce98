/** Which language a file is in, by its name. The names themselves are Monaco's. */
import { baseName } from "../base/paths";
import type { Monaco } from "./monaco";

/** What Monaco does not know by ending. */
const BY_NAME: Record<string, string> = {
  Makefile: "shell",
  makefile: "shell",
  ".gitignore": "ini",
  ".taurignore": "ini",
  ".editorconfig": "ini",
  ".bashrc": "shell",
  ".zshrc": "shell",
};

const BY_ENDING: Record<string, string> = {
  svelte: "html",
  vue: "html",
  zsh: "shell",
  fish: "shell",
  lock: "ini",
  svg: "xml",
};

/** Names for the status bar where the id itself reads badly. */
const TITLES: Record<string, string> = { plaintext: "Plain Text", ini: "INI", cpp: "C / C++", shell: "Shell" };

export interface Language {
  id: string;
  title: string;
}

export function allLanguages(monaco: Monaco): Language[] {
  return monaco.languages
    .getLanguages()
    .map((language) => ({ id: language.id, title: titleOf(monaco, language.id) }))
    .filter((language, index, all) => all.findIndex((one) => one.id === language.id) === index)
    .sort((a, b) => a.title.localeCompare(b.title));
}

export function titleOf(monaco: Monaco, id: string): string {
  const known = TITLES[id];
  if (known !== undefined) return known;
  return monaco.languages.getLanguages().find((one) => one.id === id)?.aliases?.[0] ?? id;
}

/** The id of the language for a path; "plaintext" when nothing fits. */
export function languageOf(monaco: Monaco, path: string): string {
  const name = baseName(path);
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "";
  const wanted = BY_NAME[name] ?? byMonaco(monaco, name) ?? BY_ENDING[ending];
  return wanted ?? "plaintext";
}

function byMonaco(monaco: Monaco, name: string): string | undefined {
  const low = name.toLowerCase();
  const languages = monaco.languages.getLanguages();
  const exact = languages.find((one) => one.filenames?.some((own) => own.toLowerCase() === low));
  if (exact !== undefined) return exact.id;
  const byEnding = languages.filter((one) => one.extensions?.some((own) => low.endsWith(own.toLowerCase())));
  return byEnding.length === 0 ? undefined : byEnding[0]?.id;
}
