/** From where on newcomers get the history, in the words of every place where it is chosen. */
export const PAST: readonly (readonly [boolean, string, string])[] = [
  [true, "the history, too", "Once somebody has the history, it can’t be taken back."],
  [false, "only from now on", "They get the files as they are now, and every change from then on. Nothing of the time before."],
];
