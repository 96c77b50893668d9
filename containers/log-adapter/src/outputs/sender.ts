// Sends one text until it has been taken or refused for good, with pauses that grow.
import { setTimeout as delay } from "node:timers/promises";

import { Later, Refusal } from "./transport.ts";
import type { Transport } from "./transport.ts";

export type SendingEvents = {
  sent(bytes: number): void;
  /** Records that the other side refused for good: some of a batch that it took, or all of it, and then why. */
  refused(records: number, error: Error | undefined): void;
  /** A text has not been taken; it will be sent again. */
  failing(error: Error): void;
  /** A text has been taken. */
  working(): void;
};

export type Sender = {
  /** Whether it was taken, or refused for good; undefined when it was given up because of `closing`. */
  send(text: string, lines: number): Promise<boolean | undefined>;
};

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

export function createSender(transport: Transport, on: SendingEvents, closing: AbortSignal): Sender {
  return {
    send: async (text, lines) => {
      for (let wait = FIRST_RETRY_MS; !closing.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
        try {
          const refused = await transport.send(text);
          on.sent(text.length);
          on.working();
          if (refused > 0) on.refused(refused, undefined);
          return true;
        } catch (error) {
          if (error instanceof Refusal) {
            on.refused(lines, error);
            return false;
          }
          on.failing(error as Error);
          // Many that have failed at once do not come again at once.
          const pause = error instanceof Later ? error.afterMs : wait * (0.75 + Math.random() / 2);
          await delay(pause, undefined, { signal: closing }).catch(() => undefined);
        }
      }
      return undefined;
    },
  };
}
