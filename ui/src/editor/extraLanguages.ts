/** Colours for two formats that Monaco has none for without a language service. */
import type { Monaco } from "./monaco";

export function registerExtraLanguages(monaco: Monaco): void {
  monaco.languages.register({
    id: "json",
    aliases: ["JSON"],
    extensions: [".json", ".jsonc", ".json5", ".webmanifest", ".map", ".ipynb"],
    filenames: [".babelrc", ".prettierrc", ".eslintrc"],
  });
  monaco.languages.setLanguageConfiguration("json", {
    brackets: [["{", "}"], ["[", "]"]],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: '"', close: '"', notIn: ["string"] },
    ],
    comments: { lineComment: "//", blockComment: ["/*", "*/"] },
  });
  monaco.languages.setMonarchTokensProvider("json", {
    tokenizer: {
      root: [
        [/\s+/, ""],
        [/"(?:[^"\\]|\\.)*"(?=\s*:)/, "string.key"],
        [/"(?:[^"\\]|\\.)*"?/, "string"],
        [/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/, "number"],
        [/\b(?:true|false|null)\b/, "keyword"],
        [/\/\/.*$/, "comment"],
        [/\/\*/, "comment", "@comment"],
        [/[{}[\]]/, "@brackets"],
        [/[,:]/, "delimiter"],
      ],
      comment: [
        [/[^*/]+/, "comment"],
        [/\*\//, "comment", "@pop"],
        [/./, "comment"],
      ],
    },
  });
  monaco.languages.register({
    id: "toml",
    aliases: ["TOML"],
    extensions: [".toml"],
    filenames: ["Cargo.lock", "Pipfile", "poetry.lock"],
  });
  monaco.languages.setLanguageConfiguration("toml", {
    brackets: [["{", "}"], ["[", "]"]],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: '"', close: '"', notIn: ["string"] },
    ],
    comments: { lineComment: "#" },
  });
  monaco.languages.setMonarchTokensProvider("toml", {
    tokenizer: {
      root: [
        [/^\s*\[+[^\]]*\]+/, "type"],
        [/[A-Za-z0-9_.-]+(?=\s*=)/, "variable"],
        [/#.*$/, "comment"],
        [/"""/, "string", "@long"],
        [/"(?:[^"\\]|\\.)*"?/, "string"],
        [/'[^']*'?/, "string"],
        [/\b(?:true|false)\b/, "keyword"],
        [/\d[\d_:.TZ+-]*/, "number"],
        [/[{}[\]]/, "@brackets"],
      ],
      long: [
        [/"""/, "string", "@pop"],
        [/[^"]+/, "string"],
        [/"/, "string"],
      ],
    },
  });
}
