// What every input has: the pump that its lines go to, which is served one after the other, and a clock for records that wait.
import type { Readable } from "node:stream";

import type { AdapterContext } from "../container.ts";
import type { Counts, Pump, PumpSettings, PumpSource } from "../pump.ts";
import { createPump } from "../pump.ts";
import type { InputSpec } from "./spec.ts";

export type Input = {
  readonly context: AdapterContext;
  readonly spec: InputSpec;
  readonly settings: PumpSettings;
  readonly counts: Counts;
  readonly ending: AbortSignal;
};

/** A pump with its clock, for a source that brings lines when it likes. */
export type LivePump = {
  push(bytes: Buffer): Promise<void>;
  /** Lines that are whole; what follows belongs to them only if it is of the same call. */
  pushLines(lines: readonly string[]): Promise<void>;
  /** Resolves when all outputs have taken what has been pushed. */
  settled(): Promise<void>;
  /** The last line may lack its end. */
  end(): Promise<void>;
};

export function createLivePump({ settings, counts }: Input, source: PumpSource = { isVolatile: true }): LivePump {
  const pump = createPump(settings, counts, source);
  let last: Promise<void> = Promise.resolve();
  const inTurn = (act: (pump: Pump) => Promise<void>): Promise<void> => {
    const turn = last.then(() => act(pump));
    last = turn.catch(() => undefined);
    return turn;
  };
  const timer = setInterval(
    () => void inTurn((one) => one.tick(settings.now())),
    Math.max(10, settings.multilineTimeout),
  );
  return {
    push: (bytes) => inTurn((one) => one.push(bytes)),
    pushLines: (lines) => inTurn((one) => one.pushLines(lines)),
    settled: () => pump.settled(),
    end: () => {
      clearInterval(timer);
      return inTurn((one) => one.end(true));
    },
  };
}

/** Resolves when the inputs are to end. */
export const untilEnding = (ending: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ending.aborted) resolve();
    else ending.addEventListener("abort", () => resolve(), { once: true });
  });

/** Reads bytes until they end, fail, or are to end. */
export async function readStream(stream: Readable, pump: Pick<LivePump, "push">, ending: AbortSignal): Promise<void> {
  // Asked to end, it takes no more; what waits is delivered.
  const stop = (): void => void stream.destroy();
  ending.addEventListener("abort", stop, { once: true });
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) await pump.push(bytes);
  } catch (error) {
    if (!ending.aborted) throw error;
  } finally {
    ending.removeEventListener("abort", stop);
  }
}
