/**
 * Loads Monaco, once, as its own chunk: the welcome page does not wait for it. All languages' colours, and
 * services for a few (`languageServices.ts`). Everything is bundled; nothing is fetched.
 */
import type * as MonacoNamespace from "monaco-editor/editor/editor.api";

export type Monaco = typeof MonacoNamespace;
export type CodeEditor = MonacoNamespace.editor.IStandaloneCodeEditor;
export type TextModel = MonacoNamespace.editor.ITextModel;
export type ViewState = MonacoNamespace.editor.ICodeEditorViewState;

let loading: Promise<Monaco> | null = null;

export function loadMonaco(): Promise<Monaco> {
  loading ??= import("./monacoBundle").then((bundle) => bundle.monaco);
  return loading;
}
