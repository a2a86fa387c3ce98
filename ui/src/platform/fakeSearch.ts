/** Find and replace over the toy engine: good enough to look at the view, with the expressions of JavaScript and no globs. */
import type { ApiError, FileMatches, SearchMatch, SearchQuery, SearchReply, SearchRequest } from "../api/generated";

/** What it needs of the engine. */
export interface Texts {
  /** Path and text of every file. */
  texts(): [string, string][];
  /** Replaces whole texts as one act; returns its id. */
  replaceTexts(texts: readonly [string, string][]): string;
}

export class FakeSearch {
  #lastId = 0;
  #found: FileMatches[] = [];

  constructor(private readonly engine: Texts) {}

  answer(request: SearchRequest): SearchReply {
    switch (request.cmd) {
      case "begin":
        this.#lastId += 1;
        this.#found = this.#search(request.args.query, null);
        return { reply: "begun", value: { id: this.#lastId } };
      case "more": {
        const files = this.#found;
        this.#found = [];
        return { reply: "found", value: { files, nFiles: this.engine.texts().length, nTooLarge: 0, isCut: false, isOver: true, trouble: null } };
      }
      case "again":
        return { reply: "files", value: { files: this.#search(request.args.query, request.args.paths) } };
      case "replace": {
        const { query, replacement, targets } = request.args;
        let nReplaced = 0;
        const texts = this.engine.texts().flatMap(([path, text]): [string, string][] => {
          const target = targets.find((one) => one.path === path);
          if (target === undefined) return [];
          const isMeant = (at: number): boolean => target.only === null || target.only.some(([position]) => position === at);
          const now = text.replace(expression(query), (found: string, ...rest: unknown[]) => {
            const at = rest.find((one) => typeof one === "number") ?? 0;
            if (!isMeant(at)) return found;
            nReplaced += 1;
            return replacement;
          });
          return now === text ? [] : [[path, now]];
        });
        const groupId = texts.length === 0 ? null : this.engine.replaceTexts(texts);
        return { reply: "replaced", value: { groupId, nReplaced, paths: texts.map(([path]) => path), nMissed: 0, trouble: null } };
      }
      case "end":
        return { reply: "done" };
    }
  }

  #search(query: SearchQuery, paths: readonly string[] | null): FileMatches[] {
    const wanted = this.engine.texts().filter(([path]) => paths === null || paths.includes(path));
    return wanted.map(([path, text]) => ({ path, matches: matchesIn(text, query), isCut: false })).filter((file) => file.matches.length > 0);
  }
}

function expression({ text, isRegex, matchCase, wholeWord }: SearchQuery): RegExp {
  const core = isRegex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  try {
    return new RegExp(wholeWord ? `\\b(?:${core})\\b` : core, `gm${matchCase ? "" : "i"}`);
  } catch (cause) {
    const refusal: ApiError = { code: "invalid", message: "This expression can't be used: unclosed group.", detail: String(cause) };
    throw refusal;
  }
}

function matchesIn(text: string, query: SearchQuery): SearchMatch[] {
  return [...text.matchAll(expression(query))].map((found) => {
    const position = found.index;
    const start = text.lastIndexOf("\n", position - 1) + 1;
    const end = text.indexOf("\n", position);
    const line = text.slice(start, end < 0 ? undefined : end);
    const indent = Math.min(line.length - line.trimStart().length, position - start);
    const from = position - start - indent;
    return {
      position,
      length: found[0].length,
      line: text.slice(0, position).split("\n").length,
      column: position - start + 1,
      preview: line.slice(indent),
      from,
      to: Math.min(from + found[0].length, line.length - indent),
      becomes: null,
    };
  });
}
