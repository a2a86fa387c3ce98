/** Why joining came to nothing, in the words of the table; where there are none, in those of whoever refused. */
import type { Joining } from "../../api/generated";
import { MESSAGES, type MessageId, type Wording, wordingOf } from "../../base/messages";
import { clock, plural } from "../../base/words";

export interface JoinTrouble extends Wording {
  id: string;
  isUrgent: boolean;
  /** The same person may be asked once more. */
  canAskAgain: boolean;
  /** What was typed may be mended and tried once more. */
  canTryAgain: boolean;
  /** Another code helps. */
  needsCode: boolean;
}

type Failed = Extract<Joining, { kind: "failed" }>;

/** `folder`: where the copy was to be. */
export function joinTrouble({ id, sentence, nTriesLeft }: Failed, host: string, now_ms: number, folder: string): JoinTrouble {
  const known = id !== null && id in MESSAGES ? (id as MessageId) : null;
  const isCodeOver = id === "MSG-PAIR-2c" || id === "MSG-PAIR-3" || nTriesLeft === 0;
  const canTryAgain = id === "MSG-PAIR-2" && !isCodeOver;
  const canAskAgain = id === "MSG-PAIR-4" || known === null;
  const manner = { id: id ?? "", isUrgent: known === null ? true : MESSAGES[known].isUrgent, canAskAgain, canTryAgain, needsCode: canTryAgain || isCodeOver };
  switch (known) {
    case "MSG-PAIR-2": {
      const { head, body } = wordingOf(known, { tries: plural(nTriesLeft ?? 0, "try", "tries") });
      return { ...manner, head, body: nTriesLeft === null ? body.replace(/ 0 tries left\.$/, "") : body };
    }
    case "MSG-PAIR-2c": {
      const { head, body } = wordingOf(known);
      return { ...manner, head, body: `${body} Ask for a new one.` };
    }
    case "MSG-PAIR-3":
      // When it ran out is told by whoever gave it, if at all.
      return { ...manner, head: "", body: sentence === "" ? wordingOf(known, { until: clock(now_ms).slice(0, 5) }).body : sentence };
    case "MSG-PAIR-4":
    case "MSG-PAIR-5":
    case "MSG-PAIR-6":
      return { ...manner, ...wordingOf(known, { host, They: "They" }) };
    case "MSG-PAIR-8":
      return { ...manner, ...wordingOf(known, { folder }) };
    default:
      return { ...manner, head: "", body: sentence };
  }
}
