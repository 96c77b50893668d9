// What a container is: a value that says its name, its options, its metrics, and how it starts. Importing it does
// nothing; run() or startContainer() brings it to life.
import type { Readable, Writable } from "node:stream";
import type { MessagePort } from "node:worker_threads";

import type { AdoptFile, CommandLine, OptionTable, ValuesOf } from "@outrigger/options";

import type { CommonOptions } from "./common-options.ts";
import type { Logger, Recorder } from "./logger.ts";
import type { MetricsOf, MetricStore } from "./metric-store.ts";
import type { MetricTable } from "./metric-table.ts";
import type { Readiness } from "./readiness.ts";

/** The outcome of a reload; a refused one says why, and the old configuration stays live. */
export type ReloadOutcome =
  | { readonly outcome: "applied" | "unchanged" }
  | { readonly outcome: "refused"; readonly reasons: readonly string[] };

/** Parameters resolved and checked again; the values are complete only when there are no problems. */
export type Reread = { readonly values: unknown; readonly problems: readonly string[] };

/** A route of the container's own on the admin server, which answers with JSON, as /openapi.json describes it. */
export type Route = {
  readonly summary: string;
  /** `GET` by default. `POST` changes something: it is let through from loopback only, or with the token. */
  readonly method?: "GET" | "POST";
  /** The parameters of its query, each with its meaning. All are needed. */
  readonly query: Readonly<Record<string, string>>;
  /** Further parameters, which may be left out. */
  readonly optionalQuery?: Readonly<Record<string, string>>;
  /** Up to so many bytes of a body are given to it as they came, whatever their type. Without it, it gets none. */
  readonly maxBodyBytes?: number;
  /** Names of header fields, in lower case, that it is given. */
  readonly headers?: readonly string[];
  /** It decides by itself whom it serves, say by the signature of a webhook: anybody may ask, whatever the token. */
  readonly authenticatesItself?: boolean;
  /** The properties of its answer, as JSON Schema. */
  readonly answer: Readonly<Record<string, object>>;
  /** What it answers otherwise: status and meaning. */
  readonly otherStatuses?: Readonly<Record<number, string>>;
};

/** What a route is given of a request besides its query. */
export type Asked = {
  readonly body: Buffer;
  /** Those of the route's header fields that the request has. One that was sent several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the rule for changing requests lets it through: what a route that authenticates itself may go by, too. */
  readonly isPermitted: boolean;
};

/** Answers one route; `withStatus` gives the answer another status than 200. */
export type Answerer = (
  query: Readonly<Record<string, string>>,
  asked: Asked,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

export const STATUS: unique symbol = Symbol("status");

/** An answer of a route with this HTTP status. */
export const withStatus = (status: number, answer: Record<string, unknown>): Record<string, unknown> =>
  Object.assign({ ...answer }, { [STATUS]: status });

/** What a started container can be asked for. */
export type Running = {
  /** Stops accepting and resolves when nothing is in flight any more. */
  drain?(): Promise<void>;
  /** Reads again what can change while running. */
  reload?(): Promise<ReloadOutcome>;
  /** What `GET /api/v1/status` tells, as plain JSON. */
  status?(): Record<string, unknown>;
  /** Answers the routes of the definition, by path. */
  readonly routes?: Readonly<Record<string, Answerer>>;
};

/** What start() receives: everything that a container may know of the process it runs in. */
export type Context<O extends OptionTable, M extends MetricTable> = {
  readonly options: ValuesOf<O & CommonOptions>;
  readonly log: Logger;
  /** Logs one unit of work at level info; such lines are written together, a little later. */
  readonly record: Recorder["record"];
  readonly metrics: MetricsOf<M>;
  readonly readiness: Readiness;
  /** Registers a loop for liveness; see Liveness.watch. */
  heartbeat(name: string, everyMs: number): () => void;
  /** Registers what undoes the line above it. Run in reverse order when the container stops. */
  onStop(name: string, undo: () => unknown): void;
  /** Aborted when the container begins to drain, before the drain delay. */
  readonly draining: AbortSignal;
  /** Reloads as SIGHUP would; for a change that the container has noticed by itself. */
  reload(): Promise<ReloadOutcome>;
  /** The parameters as they are now: the file may have changed since the start. */
  reread(): Promise<Reread>;
  /** Starts a thread that runs the container's `thread` function with this data. */
  startThread(data: unknown): Thread;
  /** Says that the container's work is done: it drains and ends as after SIGTERM, but waits for nobody to look elsewhere. */
  finish(): void;
  /** The process's standard input and output, for containers whose data they carry. */
  readonly stdio: Stdio;
};

/** Each is opened when it is first asked for. */
export type Stdio = { input(): Readable; output(): Writable };

/** A thread of the container: messages are structured clones; its metrics are added to the container's. */
export type Thread = {
  post(message: unknown): void;
  onMessage(handle: (message: unknown) => void): void;
  /** Ends it, whatever it is doing; what it has recorded is written first. */
  terminate(): Promise<void>;
};

/** What a thread function receives. */
export type ThreadContext<M extends MetricTable> = {
  readonly data: unknown;
  readonly port: MessagePort;
  readonly log: Logger;
  readonly record: Recorder["record"];
  readonly metrics: MetricsOf<M>;
};

/** What a command receives. */
export type CommandContext<O extends OptionTable, F extends OptionTable> = {
  /** The container's options, checked as before a start. */
  readonly options: ValuesOf<O & CommonOptions>;
  /** The command's own flags. */
  readonly flags: ValuesOf<F>;
  /** The words after its name, as many as it describes. */
  readonly words: readonly string[];
  readonly stdio: Stdio;
};

/** A command: answers a question on standard output, without starting anything. */
export type Command = Omit<CommandLine, "name"> & {
  /** Whether the options have to be those of a start: complete, and fit for each other. They are unless it says `false`. */
  readonly checksOptions?: boolean;
  /** Resolves with whether the answer is a good one: exit status 0 or 1. An error is told on stderr, exit status 1. */
  // The types of its options and flags are its own: see defineCommand.
  // oxlint-disable-next-line typescript/no-explicit-any
  run(context: CommandContext<any, any>): Promise<boolean>;
};

/** A command line without the program, and an environment. */
export type CommandWords = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** A sidecar adds to the application, an ambassador speaks to the world for it, an adapter makes it look like others. */
export type Pattern = "sidecar" | "ambassador" | "adapter";

export type ContainerDefinition<O extends OptionTable, M extends MetricTable> = {
  readonly name: string;
  readonly version: string;
  /** How it helps the application that it stands beside. */
  readonly pattern: Pattern;
  /** One line for `--help` and the image's description. */
  readonly summary: string;
  /** The default port of the admin server. */
  readonly adminPort: number;
  readonly options: O;
  readonly metrics: M;
  /** Routes of its own on the admin server, by path: below `/api/v1/`, but for what others expect elsewhere. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** Commands of its own, by name: `<container> <name> <words> [flags]`. */
  readonly commands?: Readonly<Record<string, Command>>;
  /**
   * Its own words for the command line and the environment of other programs, for those who swap an image. What it gives
   * is read as options; the same is given back where there is nothing to translate.
   */
  translate?(words: CommandWords): CommandWords;
  /**
   * Knows the files of other programs, for those who swap an image: which option a `--config` file with these keys is the
   * whole value of, or undefined where it holds options.
   */
  readonly adoptFile?: AdoptFile;
  /**
   * Looks at values together, and at the files that they name, without starting anything. Each string is a problem of
   * the form `<as written>: expected <form>, got <value>`; `writtenAs` names each option as the user wrote it.
   */
  check?(
    options: ValuesOf<O & CommonOptions>,
    writtenAs: Readonly<Record<keyof O, string>>,
    provenance: Provenance<O>,
  ): Promise<string[]>;
  start(context: Context<O, M>): Promise<Running>;
  /** Runs in each thread that start() asked for. */
  thread?(context: ThreadContext<M>): void;
};

// A definition of any container, for code that treats all alike.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyContainer = ContainerDefinition<any, any>;
export type AnyStore = MetricStore<MetricTable>;

/** How the options were given that a check looks at: where each is from, and whether the container is about to run. */
export type Provenance<O extends OptionTable> = {
  readonly origins: Readonly<Record<keyof O, string>>;
  readonly starting: boolean;
};

/** Defines a container; only gives its tables their types. */
export function defineContainer<const O extends OptionTable, const M extends MetricTable>(
  definition: ContainerDefinition<O, M>,
): ContainerDefinition<O, M> {
  return definition;
}

/** Defines a command of a container with these options; only gives its parts their types. */
export function defineCommand<const O extends OptionTable, const F extends OptionTable>(
  _options: O,
  command: Omit<CommandLine, "name" | "flags"> & {
    readonly flags: F;
    readonly checksOptions?: boolean;
    run(context: CommandContext<O, F>): Promise<boolean>;
  },
): Command {
  return command;
}
