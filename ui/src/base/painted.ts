/** A hidden window paints nothing. */
const UNPAINTED_MS_MAX = 100;

/** Resolves when what was set in the page is on the screen. */
export async function painted(): Promise<void> {
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, UNPAINTED_MS_MAX);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(resolve, 0);
    });
  });
}
