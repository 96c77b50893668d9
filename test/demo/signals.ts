// The signals that end the demo: the first one lets it end in order, a later one ends it at once.

/** Whoever signals a process and its group (timeout(1) does) sends two at a time and means one. */
const SAME_MS = 500;

/** The exit handlers kill whatever the demo has started, and remove its folder. */
export const endAtOnce = (): never => process.exit(1);

/** Takes over SIGINT, SIGTERM and SIGHUP. Gives what the first of them aborts, with an error that names it. */
export function handleSignals(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        controller.abort(new Error(`interrupted by ${signal}`));
      } else if (performance.now() - first > SAME_MS) endAtOnce();
    });
  }
  return controller.signal;
}

/** What `work` gives, unless a signal comes first: then it is not waited for, and that is an error. */
export function unlessInterrupted<T>(work: Promise<T>, interrupted: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(interrupted.reason);
  if (interrupted.aborted) onAbort();
  else interrupted.addEventListener("abort", onAbort);
  return Promise.race([work, promise]).finally(() => interrupted.removeEventListener("abort", onAbort));
}
