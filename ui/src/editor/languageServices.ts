/**
 * Completion, hover and checks for JSON, CSS, HTML, TypeScript and JavaScript, each in its own worker that starts with
 * the first file of its kind. They see single files, not the project: so they never judge types or imports.
 */
import { css, html, json, typescript } from "monaco-editor/languages/features/register.all";
import CssWorker from "monaco-editor/languages/features/css/css.worker?worker";
import HtmlWorker from "monaco-editor/languages/features/html/html.worker?worker";
import JsonWorker from "monaco-editor/languages/features/json/json.worker?worker";
import TypeScriptWorker from "monaco-editor/languages/features/typescript/ts.worker?worker";

const WORKERS: Record<string, new () => Worker> = {
  css: CssWorker,
  scss: CssWorker,
  less: CssWorker,
  html: HtmlWorker,
  handlebars: HtmlWorker,
  razor: HtmlWorker,
  json: JsonWorker,
  typescript: TypeScriptWorker,
  javascript: TypeScriptWorker,
};

/** The worker for a language, or null where there is none. */
export function languageWorker(label: string): Worker | null {
  const Made = WORKERS[label];
  return Made === undefined ? null : new Made();
}

export function setUpLanguageServices(): void {
  // Many tools' JSON has comments and trailing commas; no schema is ever fetched.
  json.jsonDefaults.setDiagnosticsOptions({ validate: true, allowComments: true, comments: "ignore", trailingCommas: "ignore", enableSchemaRequest: false });
  for (const defaults of [typescript.typescriptDefaults, typescript.javascriptDefaults]) {
    defaults.setDiagnosticsOptions({ noSemanticValidation: true, noSyntaxValidation: false, noSuggestionDiagnostics: true });
    defaults.setCompilerOptions({
      target: typescript.ScriptTarget.ESNext,
      module: typescript.ModuleKind.ESNext,
      jsx: typescript.JsxEmit.Preserve,
      allowJs: true,
      allowNonTsExtensions: true,
    });
  }
  // Quick edits by hand, not rewrites of files that others may be in.
  css.cssDefaults.setOptions({ validate: true, lint: { emptyRules: "ignore" } });
  html.htmlDefaults.setOptions({ ...html.htmlDefaults.options, suggest: { html5: true } });
}
