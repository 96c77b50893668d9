// Reads all inputs into pumps, each in its own way.
import type { Cell } from "@outrigger/runtime";
import { followFiles } from "@outrigger/tailing";

import type { AdapterContext } from "./container.ts";
import { receiveDatagrams } from "./inputs/datagrams.ts";
import { readFifo } from "./inputs/fifo.ts";
import { receiveRequests } from "./inputs/http.ts";
import { createLivePump, readStream } from "./inputs/input.ts";
import type { Input } from "./inputs/input.ts";
import { listenForLines } from "./inputs/listener.ts";
import { pollJson, runCommand } from "./inputs/polled.ts";
import { readSlowlog } from "./inputs/slowlog.ts";
import { parseInput } from "./inputs/spec.ts";
import type { InputKind } from "./inputs/spec.ts";
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
  const ending = new AbortController();
  const inputs = context.options.input.map((text): Input => ({
    context,
    spec: parseInput(text)!,
    settings: settingsOf(text),
    counts: countsOf(context, text),
    ending: ending.signal,
  }));
  const files = inputs.filter(({ spec }) => spec.kind === "file");
  const reading = inputs
    .filter(({ spec }) => spec.kind !== "file")
    .map((input) => READERS[input.spec.kind as keyof typeof READERS](input));
  const ended = Promise.all([...reading, ...(files.length > 0 ? [follow(context, files, ending.signal)] : [])]).then(
    () => undefined,
  );
  ended.catch(() => undefined);
  return {
    ended,
    end: () => {
      ending.abort();
      return ended;
    },
  };
}

const READERS: Readonly<Record<Exclude<InputKind, "file">, (input: Input) => Promise<void>>> = {
  stdin: readStdin,
  fifo: readFifo,
  tcp: listenForLines,
  "syslog+tcp": listenForLines,
  "syslog+tls": listenForLines,
  "syslog+unix": listenForLines,
  udp: receiveDatagrams,
  "syslog+udp": receiveDatagrams,
  http: receiveRequests,
  "redis-slowlog": readSlowlog,
  poll: pollJson,
  exec: runCommand,
};

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

async function readStdin(input: Input): Promise<void> {
  const pump = createLivePump(input);
  await readStream(input.context.stdio.input(), pump, input.ending);
  await pump.end();
}

/** Follows the files until it is asked to end. */
function follow(
  { options, log, metrics }: AdapterContext,
  inputs: readonly Input[],
  ending: AbortSignal,
): Promise<void> {
  return followFiles({
    inputs: inputs.map(({ spec, settings, counts }) => ({
      name: spec.text,
      pattern: spec.target,
      sinkAt: (file, startAt, beginning) => createPump(settings, counts, { file, startAt, beginning }),
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
