/** Work done apart: the notice when it was merged, the page to review it, and what happened while nobody was here. */
import { Merges } from "../../state/merge.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import AwayCard from "./AwayCard.svelte";
import { Review } from "./review.svelte";
import ReviewPage from "./Review.svelte";
import { mergeSentence } from "./words";

export function contribute(workbench: Workbench): void {
  const { client, session, slots, commands, editors, notices } = workbench;
  const merges = new Merges(client);
  const review = new Review(workbench);
  slots.addPage({ id: "merge", title: "Review merge", icon: "git-merge", filling: fill(ReviewPage, () => ({ workbench, review })) });
  slots.addOverlay(fill(AwayCard, () => ({ workbench, merges })));
  session.onOpened(() => void merges.start());
  session.onClosing(() => {
    merges.stop();
    review.clear();
  });
  const open = (): void => {
    if (merges.last !== null) review.set(merges.last);
    editors.openPage("merge");
  };
  merges.onMerged((merged) => {
    const buttons = merged.places.length === 0 ? [] : [{ label: "Review", run: open }, { label: "Later", run: () => undefined }];
    notices.toast(mergeSentence(merged), { buttons });
  });
  commands.registerAll([
    { id: "merge.review", title: "Review merge", category: "People", when: () => session.workspace !== null && (merges.last !== null || review.merged !== null), run: open },
    {
      id: "merge.whileAway",
      title: "What others did while you were away",
      category: "People",
      when: () => session.workspace !== null && !workbench.people.isAlone,
      run: async () => {
        if (!(await merges.showAway())) workbench.layout.say("Nothing was done while you were away.", 4_000);
      },
    },
  ]);
}
