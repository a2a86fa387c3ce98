/**
 * What others do while one works, for pictures: told to the window as the engine tells it. Needs `people_screens.js`.
 * Leaves `window.__cs.working` behind, which the screens call.
 */
const { workbench } = window.__cs;
const { client, people, notices } = workbench;
const NOW_MS = Date.now();
const hear = (...events) => client.hear(events.map((event) => ({ from: "workspace", event })));
const here = () => people.together.members.filter((one) => !one.isSelf && one.isConnected);
const nameOf = (index) => people.together.members[index + 1]?.person ?? "Bo";

function presence(device, path, selections, more = {}) {
  return {
    event: "presence",
    data: { device, place: { path, selections, topLine: 1, pastMs: null, isAway: false, isWritingMessage: false, ...more }, typedMs: Date.now() },
  };
}

function text() {
  return workbench.editors.activePane.editor.getModel().getValue();
}

window.__cs.working = {
  /** Everybody in the active file, each at another line; the first has selected something. */
  carets() {
    const path = workbench.editors.activePath;
    const lines = text().split("\n");
    const offsetOf = (line) => lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
    hear(...here().map(({ device }, index) => {
      const line = (8 + index * 3) % (lines.length - 1);
      const head = offsetOf(line) + Math.min(14, lines[line].length);
      return presence(device, path, index === 0 ? [[offsetOf(line - 1) + 4, head]] : [[head, head]]);
    }));
  },
  follow() {
    const [one] = here();
    workbench.commands.run("follow.person", one.device);
  },
  writing() {
    const [one] = here();
    hear(presence(one.device, "README.md", [[0, 0]], { isWritingMessage: true }));
  },
  messages() {
    const message = (n, index, text, link = null, before_ms = 600_000) => ({
      event: "message",
      data: { deltaId: `picture-${n}`, device: index < 0 ? "self" : `device-${index}`, person: index < 0 ? people.self.person : nameOf(index), color: index + 1, isSelf: index < 0, atMs: NOW_MS - before_ms + n * 20_000, text, link },
    });
    hear(
      message(0, 0, "shall we write the lexer first?", null, 26 * 3_600_000),
      message(1, 0, "look at this, why is a number not a token yet?", { kind: "code", path: "src/lexer.rs", line: 11 }),
      message(2, -1, "ok — was fine here", { kind: "moment", atMs: NOW_MS - 2_400_000, workspaceIndex: 3 }),
      message(3, 1, "a_word_that_is_as_long_as_the_whole_panel_is_wide_and_then_some_more_of_it_to_be_sure"),
      message(4, 1, "and two lines\nof text"),
      message(5, 0, `@${people.self.person} can you look? @${nameOf(2)} too`),
    );
  },
  merged() {
    const lines = text().split(/(?<=\n)/);
    const position = (line) => lines.slice(0, line).reduce((sum, one) => sum + one.length, 0);
    const place = (line, ours, theirs) => ({ path: workbench.editors.activePath, line: line + 1, position: position(line), ours, theirs, now: lines[line], isWhole: true });
    const places = [place(10, "            Some(first @ '0'..='9' | '_') => self.number(first),\n", "            Some(first @ '0'..='9') => self.number(first, 10),\n"), place(17, "", "    fn bump(&mut self) -> Option<u8> {\n")];
    hear({ event: "merged", data: { with: [nameOf(0)], apartMs: 11_520_000, nOurs: 214, nTheirs: 96, nFiles: 7, sinceMs: NOW_MS - 11_520_000, beforeOurs: "a", beforeTheirs: "b", places } });
  },
  toasts() {
    hear(
      { event: "act", data: { groupId: "g", sentence: `${nameOf(0)} restored lexer.rs to 14:32:07.`, author: nameOf(0), nFiles: 1, paths: ["src/lexer.rs"], atMs: NOW_MS, canUndo: true } },
      { event: "notice", data: { id: "MSG-FILE-5", title: `${nameOf(0)} deleted src/main.rs while you were editing it, so it stays.`, body: "", path: "src/main.rs" } },
      { event: "signalled", data: { device: "device-0", person: nameOf(0), signal: { kind: "bring", path: "src/main.rs", line: 3 } } },
    );
  },
  away() {
    const burst = (n, path) => ({ path, fromMs: NOW_MS - 7_000_000, toMs: NOW_MS - 6_900_000 + n * 400_000, added: 120 + n, removed: 30, workspaceIndex: 1 + n });
    const away = {
      sinceMs: NOW_MS - 6 * 3_600_000,
      people: [
        { person: nameOf(0), color: 1, nChanges: 96, bursts: [0, 1, 2, 3, 4, 5].map((n) => burst(n, "src/lexer.rs")) },
        { person: nameOf(1), color: 2, nChanges: 1, bursts: [burst(7, "src/a name that is so long that no tree and no tab has the room for the whole of it.md")] },
      ],
    };
    const { get } = client;
    client.get = (kind, request) => (request.cmd === "whileAway" ? Promise.resolve({ away }) : get.call(client, kind, request));
    workbench.commands.run("merge.whileAway");
    client.get = get;
  },
  quiet() {
    for (const one of notices.list) notices.close(one.id);
  },
};
