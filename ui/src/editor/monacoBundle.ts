/** What of Monaco goes into the window. Imported only by `monaco.ts`, and only dynamically. */
import "monaco-editor/features/register.all";
import "monaco-editor/languages/definitions/register.all";
import * as monaco from "monaco-editor/editor/editor.api";
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import { registerExtraLanguages } from "./extraLanguages";
import { languageWorker, setUpLanguageServices } from "./languageServices";

// For all labels: Vite does not emit the editor's worker by itself.
self.MonacoEnvironment = { getWorker: (_id, label) => languageWorker(label) ?? new EditorWorker() };
setUpLanguageServices();

registerExtraLanguages(monaco);

export { monaco };
