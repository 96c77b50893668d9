// Trying again, each time after twice as long.

export type Attempts = {
  readonly retries: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Aborted when there is no use in waiting for the next attempt. */
  readonly signal: AbortSignal;
};

/** Resolves with undefined when one attempt has succeeded, else with the last one's error. */
export async function attempt(work: () => Promise<void>, settings: Attempts): Promise<Error | undefined> {
  const { retries, backoffMs, maxBackoffMs, signal } = settings;
  for (let tried = 0; ; tried++) {
    const error = await work().then(
      () => undefined,
      (error: Error) => error,
    );
    if (error === undefined || tried === retries || signal.aborted) return error;
    await pause(Math.min(maxBackoffMs, backoffMs * 2 ** tried), signal);
    if (signal.aborted) return error;
  }
}

/** Resolves after the time, or when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, milliseconds);
  const end = (): void => {
    clearTimeout(timer);
    resolve();
  };
  signal.addEventListener("abort", end, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", end));
}
