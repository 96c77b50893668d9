// Waiting for a condition, instead of for a time that is hopefully long enough.
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

const POLL_MS = 5;

type Falsy = false | 0 | 0n | "" | null | undefined;

/**
 * Polls `condition` until it gives something truthy, and returns that. A condition that throws has not come true yet. On
 * time-out the error says what was waited for, and what the last attempt gave or threw (as its `cause` too).
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 5000, describe = "the condition to come true" }: { timeoutMs?: number; describe?: string } = {},
): Promise<Exclude<T, Falsy>> {
  const controller = new AbortController();
  let last = "no answer yet";
  let cause: unknown;
  const poll = async (): Promise<T> => {
    while (!controller.signal.aborted) {
      try {
        const value = await condition();
        if (value) return value;
        [last, cause] = [`last value: ${inspect(value)}`, undefined];
      } catch (error) {
        [last, cause] = [`last error: ${error instanceof Error ? error.message : inspect(error)}`, error];
      }
      await delay(POLL_MS);
    }
    throw new Error("given up");
  };
  const timeOut = async (): Promise<never> => {
    await delay(timeoutMs, undefined, { signal: controller.signal });
    throw new Error(`waited ${timeoutMs} ms for ${describe}; ${last}`, { cause });
  };
  try {
    return (await Promise.race([poll(), timeOut()])) as Exclude<T, Falsy>;
  } finally {
    controller.abort();
  }
}
