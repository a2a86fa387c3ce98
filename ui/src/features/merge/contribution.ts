/** Work done apart: the notice when it was merged, the page to review it, and what happened while nobody was here. */
import { Merges } from "../../state/merge.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import AwayCard from "./AwayCard.svelte";
import { Review } from "./review.svelte";
import ReviewPage from "./Review.svelte";
import { mergeSentence } from "./words";

export function contribute(workbench: Workbench): void {
  const { client, session, slots, commands, editors, layout, notices, people } = workbench;
  const merges = new Merges(client);
  const review = new Review(workbench);
  slots.addPage({ id: "merge", title: "Review merge", icon: "git-merge", filling: fill(ReviewPage, () => ({ workbench, review })) });
  slots.addOverlay(fill(AwayCard, () => ({ workbench, merges })));
  session.onOpened(() => void merges.start());
  session.onClosing(() => {
    merges.stop();
    review.clear();
  });
  const open = async (mark: unknown): Promise<void> => {
    const merged = await merges.of(typeof mark === "string" ? mark : null);
    if (merged === null) return layout.say("Nothing to review: no two people changed the same lines while apart.", 4_000);
    review.set(merged);
    editors.openPage("merge");
  };
  merges.onMerged((merged) => {
    const buttons = merged.places.length === 0 ? [] : [{ label: "Review", run: () => commands.run("merge.review", merged.beforeOurs) }, { label: "Later", run: () => undefined }];
    notices.toast(mergeSentence(merged), { buttons });
  });
  commands.registerAll([
    { id: "merge.review", title: "Review merge", category: "People", when: () => session.workspace !== null && (merges.last !== null || !people.isAlone), run: open },
    {
      id: "merge.whileAway",
      title: "What others did while you were away",
      category: "People",
      when: () => session.workspace !== null && !people.isAlone,
      run: async () => {
        if (!(await merges.showAway())) layout.say("Nothing was done while you were away.", 4_000);
      },
    },
  ]);
}
