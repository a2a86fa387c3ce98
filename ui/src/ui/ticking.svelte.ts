/** The time of day as state, for countdowns: moves once a second while somebody looks. To be called while a component starts. */
export function ticking(isOn: () => boolean): { readonly now_ms: number } {
  let now_ms = $state(Date.now());
  $effect(() => {
    if (!isOn()) return undefined;
    now_ms = Date.now();
    const timer = setInterval(() => (now_ms = Date.now()), 1_000);
    return () => clearInterval(timer);
  });
  return {
    get now_ms() {
      return now_ms;
    },
  };
}
