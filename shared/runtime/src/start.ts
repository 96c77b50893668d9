// The life of a container: start, ready, (reload)*, drain, stop. Nothing here touches the process, so that a test can
// start and stop a container as often as it likes.
import { formatAddress } from "@outrigger/options";
import type { Address, OptionTable, ValuesOf } from "@outrigger/options";

import { createAdminServer, listenAdmin } from "./admin.ts";
import type { CommonOptions } from "./common-options.ts";
import type { AnyContainer, ContainerDefinition, Context, ReloadOutcome, Reread, Running, Stdio } from "./container.ts";
import type { Instruments } from "./instruments.ts";
import { createInstruments } from "./instruments.ts";
import type { LineSink, Logger } from "./logger.ts";
import { stderrSink } from "./logger.ts";
import type { MetricTable } from "./metric-table.ts";
import type { Reloader } from "./reloader.ts";
import { createReloader } from "./reloader.ts";
import { startThread } from "./threads.ts";
import type { UndoList } from "./undo-list.ts";
import { createUndoList } from "./undo-list.ts";
import { sleep, withinTime } from "./within-time.ts";

/** A started container, as its starter sees it. */
export type StartedContainer = {
  readonly admin: Address;
  readonly log: Logger;
  reload(): Promise<ReloadOutcome>;
  /** Drains and stops; resolves with whether everything in flight was finished in time. Later calls join the first. */
  stop(): Promise<Stopped>;
  /** Resolves when the container has stopped, whoever asked for it. */
  readonly stopped: Promise<Stopped>;
};
export type Stopped = { readonly finished: boolean };

export type StartSettings = {
  /** The bundle that threads run: the URL of the module that called run(). */
  readonly entry?: string;
  /** Where log lines go: stderr by default. */
  readonly sink?: LineSink;
  /** Resolves the parameters again, for a reload; by default they stay as they are. */
  readonly reread?: () => Promise<Reread>;
  /** Standard input and output; a container that needs them cannot start without. */
  readonly stdio?: Stdio;
};

/** How long each thing may take to be undone: nothing is in flight any more, so it only has to close. */
const UNDO_MS = 2000;

const none = (): never => {
  throw new Error("stdio: expected to be given by whoever starts the container, got nothing");
};
const NO_STDIO: Stdio = { input: none, output: none };

type State = "starting" | "running" | "draining" | "stopped";

/** Everything that the parts of one container's life share. */
type Life = {
  readonly container: AnyContainer;
  readonly options: ValuesOf<CommonOptions>;
  readonly entry: string | undefined;
  readonly reread: () => Promise<Reread>;
  readonly stdio: Stdio;
  readonly instruments: Instruments;
  readonly undoing: UndoList;
  readonly draining: AbortController;
  readonly reloader: Reloader;
  readonly began: Date;
  state: State;
  running: Running;
};

/** Starts a container with values that have been checked. Throws when it cannot start; then nothing is left behind. */
export async function startContainer<O extends OptionTable, M extends MetricTable>(
  container: ContainerDefinition<O, M>,
  values: ValuesOf<O & CommonOptions>,
  { entry, sink = stderrSink, reread = async () => ({ values, problems: [] }), stdio = NO_STDIO }: StartSettings = {},
): Promise<StartedContainer> {
  const life = begin(container as AnyContainer, values as ValuesOf<CommonOptions>, { entry, sink, reread, stdio });
  const { log, readiness, recorder } = life.instruments;
  const starting = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<Stopped>();
  let asked = false;
  const stop = (drainDelay = life.options.drainDelay): Promise<Stopped> => {
    // What is only half started cannot be drained: first it is started.
    if (!asked)
      void starting.promise.then(() => drainAndUndo(life, drainDelay)).then(stopping.resolve, stopping.reject);
    asked = true;
    return stopping.promise;
  };
  life.undoing.add("recorded lines", recorder.flush);
  try {
    const admin = await startAdmin(life, stop);
    life.running = await container.start(contextOf(life, () => void stop(0)) as Context<O, M>);
    life.state = "running";
    readiness.set("started", true);
    log.info({ milliseconds: Date.now() - life.began.getTime() }, "started");
    starting.resolve();
    return { admin, log, reload: life.reloader.reload, stop: () => stop(), stopped: stopping.promise };
  } catch (error) {
    await life.undoing.run(UNDO_MS);
    throw error;
  }
}

function begin(
  container: AnyContainer,
  options: ValuesOf<CommonOptions>,
  { entry, sink, reread, stdio }: Pick<Life, "entry" | "reread" | "stdio"> & { sink: LineSink },
): Life {
  const instruments = createInstruments(container, options, sink);
  const life: Life = {
    container,
    options,
    entry,
    reread,
    stdio,
    instruments,
    undoing: createUndoList(instruments.log),
    draining: new AbortController(),
    reloader: createReloader(() => life.running, instruments.log, instruments.common),
    began: new Date(),
    state: "starting",
    running: {},
  };
  return life;
}

function contextOf(life: Life, finish: () => void): Context<OptionTable, MetricTable> {
  const { container, options, instruments, undoing } = life;
  const { log, recorder, store, readiness, liveness } = instruments;
  return {
    options,
    log,
    record: recorder.record,
    metrics: store.metrics,
    readiness,
    heartbeat: liveness.watch,
    onStop: undoing.add,
    draining: life.draining.signal,
    reload: life.reloader.reload,
    reread: life.reread,
    finish,
    stdio: life.stdio,
    startThread: (data) => {
      if (life.entry === undefined) throw new Error("threads: expected the bundle's URL as entry, got nothing");
      return startThread(container, life.entry, { data, settings: options, store });
    },
  };
}

async function startAdmin(life: Life, stop: () => Promise<Stopped>): Promise<Address> {
  const { container, instruments, options, undoing } = life;
  const { log, readiness, liveness, common } = instruments;
  const { name, version, summary } = container;
  const server = await createAdminServer(
    {
      name,
      version,
      summary,
      isStarted: () => life.state !== "starting",
      readiness,
      liveness,
      metricsText: instruments.metricsText,
      status: () => statusOf(life),
      routes: container.routes ?? {},
      answerer: (path) => life.running.routes?.[path],
      reload: life.reloader.reload,
      shutdown: () => void stop(),
      refused: (reason) => common.refusedAdmin.inc({ reason }),
    },
    { token: options.adminToken, unixSocket: "path" in options.adminListen },
  );
  undoing.add("admin server", () => server.close());
  const bound = await listenAdmin(server, options.adminListen);
  log.info({ listener: "admin", address: formatAddress(bound) }, "listening");
  return bound;
}

const statusOf = ({ container, instruments, state, began, reloader, running }: Life): Record<string, unknown> => ({
  name: container.name,
  version: container.version,
  state,
  ready: instruments.readiness.isReady(),
  conditions: instruments.readiness.conditions(),
  startedAt: began.toISOString(),
  lastReload: reloader.last(),
  ...running.status?.(),
});

async function drainAndUndo(life: Life, drainDelay: number): Promise<Stopped> {
  const { log, readiness } = life.instruments;
  const { shutdownTimeout } = life.options;
  life.state = "draining";
  log.info({ drainDelay, shutdownTimeout }, "draining");
  readiness.set("not draining", false, "draining");
  life.draining.abort();
  await sleep(drainDelay);
  const drained = await drain(life);
  const undone = await life.undoing.run(UNDO_MS);
  const finished = drained && undone;
  life.state = "stopped";
  log.info({ finished }, "stopped");
  return { finished };
}

/** Whether all that was in flight has been finished in time. */
async function drain({ running, instruments: { log }, options: { shutdownTimeout } }: Life): Promise<boolean> {
  try {
    const finished = await withinTime(running.drain?.() ?? Promise.resolve(), shutdownTimeout);
    if (!finished) log.warn({ shutdownTimeout }, "shutdown timed out");
    return finished;
  } catch (error) {
    log.error({ error }, "draining failed");
    return false;
  }
}
