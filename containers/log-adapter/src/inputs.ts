// Reads the inputs into pumps: standard input as it comes, files by looking at them again and again.
import type { Cell } from "@outrigger/runtime";
import { followFiles } from "@outrigger/tailing";

import type { AdapterContext } from "./container.ts";
import { createPump, DROP_REASONS } from "./pump.ts";
import type { Counts, DropReason, PumpSettings } from "./pump.ts";

/** What the lines of an input are made into records by. */
export type SettingsOf = (input: string) => PumpSettings;

export type Inputs = {
  /** Resolves when every input has ended, or was asked to; rejects when records cannot be delivered any more. */
  readonly ended: Promise<void>;
  /** Ends all inputs after what they are at, and delivers what waits. */
  end(): Promise<void>;
};

/** Starts to read all inputs. */
export function startInputs(context: AdapterContext, settingsOf: SettingsOf): Inputs {
  const { input } = context.options;
  const ending = new AbortController();
  const files = input
    .filter((spec) => spec.startsWith("file:"))
    .map((name) => ({ name, settings: settingsOf(name), counts: countsOf(context, name) }));
  const reading = [
    ...(input.includes("stdin") ? [readStdin(context, settingsOf("stdin"), ending.signal)] : []),
    ...(files.length > 0 ? [follow(context, files, ending.signal)] : []),
  ];
  const ended = Promise.all(reading).then(() => undefined);
  ended.catch(() => undefined);
  return {
    ended,
    end: () => {
      ending.abort();
      return ended;
    },
  };
}

/** The counts of an input; what is pending is kept beside, so that it always adds up. */
function countsOf({ metrics }: AdapterContext, input: string): Counts {
  const [read, delivered] = [metrics.read.cell({ input }), metrics.delivered.cell({ input })];
  const dropped = Object.fromEntries(
    DROP_REASONS.map((reason) => [reason, metrics.dropped.cell({ input, reason })]),
  ) as Record<DropReason, Cell>;
  const pending = metrics.pending.cell({ input });
  for (const cell of [read, delivered, pending, ...Object.values(dropped)]) cell.set(0);
  return {
    read: (lines) => (read.add(lines), pending.add(lines)),
    delivered: (lines) => (delivered.add(lines), pending.add(-lines)),
    dropped: (lines, reason) => (dropped[reason].add(lines), pending.add(-lines)),
  };
}

async function readStdin(context: AdapterContext, settings: PumpSettings, ending: AbortSignal): Promise<void> {
  const pump = createPump(settings, countsOf(context, "stdin"), { isVolatile: true });
  const stream = context.stdio.input();
  // Asked to end, it takes no more; what waits is delivered.
  ending.addEventListener("abort", () => void stream.destroy(), { once: true });
  let last: Promise<void> = Promise.resolve();
  const timer = setInterval(() => (last = last.then(() => pump.tick(settings.now()))), settings.multilineTimeout);
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      last = last.then(() => pump.push(bytes));
      await last;
    }
  } catch (error) {
    if (!ending.aborted) throw error;
  } finally {
    clearInterval(timer);
  }
  await last;
  await pump.end(true);
}

/** Follows the files until it is asked to end. */
function follow(
  { options, log, metrics }: AdapterContext,
  inputs: readonly { readonly name: string; readonly settings: PumpSettings; readonly counts: Counts }[],
  ending: AbortSignal,
): Promise<void> {
  return followFiles({
    inputs: inputs.map(({ name, settings, counts }) => ({
      name,
      pattern: name.slice("file:".length),
      sinkAt: (file, startAt) => createPump(settings, counts, { file, startAt }),
    })),
    stateDir: options.stateDir,
    pollInterval: options.pollInterval,
    ending,
    on: {
      restarted: (reason) => metrics.restarts.inc({ reason }),
      failed: (path, error) => {
        metrics.inputErrors.inc({});
        log.warn({ path, error: error.message }, "file not readable");
      },
      unusable: (problem) => log.warn({ problem }, "checkpoint not usable, reading from the beginning"),
      unsaved: (error) => log.error({ error: error.message }, "checkpoint not saved"),
    },
  });
}
