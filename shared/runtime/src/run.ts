// The process around a container: arguments, environment, signals, exit status. The only file that ends the process.
import { isMainThread } from "node:worker_threads";

import type { Action, CommandLine, OptionTable, Resolution } from "@outrigger/options";
import { prefixOf, printConfig, resolveOptions, usageOf, usageOfCommand } from "@outrigger/options";

import { commonOptionsOf } from "./common-options.ts";
import type { AnyContainer, CommandWords, Reread, Stdio } from "./container.ts";
import { EXIT } from "./exit.ts";
import { isHealthy } from "./healthcheck.ts";
import { readTextFile } from "./read-file.ts";
import type { StartSettings, StartedContainer } from "./start.ts";
import { startContainer } from "./start.ts";
import { runThread } from "./threads.ts";

/** Runs a container as this process. `entry` is the caller's `import.meta.url`. */
export async function run(container: AnyContainer, entry: string): Promise<void> {
  if (!isMainThread) {
    runThread(container);
    return;
  }
  const [first, ...rest] = process.argv.slice(2);
  const isHealthcheck = first === "healthcheck";
  const command = commandsOf(container).find(({ name }) => name === first);
  const table = tableOf(container);
  const words = wordsFor(container, isHealthcheck || command !== undefined ? rest : process.argv.slice(2));
  const resolve = (): Resolution<OptionTable> =>
    resolveOptions(container.name, table, {
      ...words,
      readFile: readTextFile,
      command,
      adoptFile: container.adoptFile,
    });
  const resolution = resolve();
  if (resolution.action === "help") return exitWith(EXIT.ok, helpOf(container, command));
  if (resolution.action === "version") return exitWith(EXIT.ok, `${container.name} ${container.version}`);
  const purpose = purposeOf(container, { first, command, action: resolution.action });
  const problems = await problemsOf(container, resolution, purpose);
  if (problems.length > 0) return exitWith(EXIT.usage, "", complaint(container, problems, { purpose, words }));
  if (isHealthcheck) return exitWith((await isHealthy(resolution.values["adminListen"])) ? EXIT.ok : EXIT.failed);
  if (resolution.action !== undefined) return exitWith(EXIT.ok, reportOf(resolution.action, table, resolution));
  const stdio = { input: () => process.stdin, output: () => process.stdout };
  if (command !== undefined) return answer(container, command, { resolution, stdio });
  const reread = async (): Promise<Reread> => {
    const again = resolve();
    return { values: again.values, problems: await problemsOf(container, again, "start") };
  };
  return live(container, resolution, { entry, reread, stdio });
}

/** What the process is for: to be the container, or only to answer something, perhaps whatever the options are. */
type Purpose = "start" | "answer" | "unchecked";

function purposeOf(
  container: AnyContainer,
  asked: { first: string | undefined; command: CommandLine | undefined; action: Action | undefined },
): Purpose {
  const isUnchecked = container.commands?.[asked.command?.name ?? ""]?.checksOptions === false;
  if (asked.first === "healthcheck" || isUnchecked) return "unchecked";
  return asked.command === undefined && asked.action === undefined ? "start" : "answer";
}

/** The command line and the environment, in the container's own words. */
function wordsFor(container: AnyContainer, argv: readonly string[]): CommandWords {
  const given = { argv, env: process.env };
  return container.translate?.(given) ?? given;
}

/** All options of a container: its own first. */
export const tableOf = (container: AnyContainer): OptionTable => ({
  ...container.options,
  ...commonOptionsOf(container.adminPort),
});

/** The commands of a container, in the order of its definition. */
export const commandsOf = ({ commands = {} }: AnyContainer): CommandLine[] =>
  Object.entries(commands).map(([name, { summary, words, flags }]) => ({ name, summary, words, flags }));

const helpOf = (container: AnyContainer, command: CommandLine | undefined): string =>
  command === undefined
    ? usageOf(container.name, {
        summary: container.summary,
        table: tableOf(container),
        commands: commandsOf(container),
      })
    : usageOfCommand(container.name, command);

/** Runs a command: its answer is on standard output, and its exit status tells whether it is a good one. */
async function answer(
  container: AnyContainer,
  { name, flags }: CommandLine,
  { resolution, stdio }: { resolution: Resolution<OptionTable>; stdio: Stdio },
): Promise<void> {
  const own = Object.fromEntries(Object.keys(flags).map((property) => [property, resolution.values[property]]));
  const context = { options: resolution.values, flags: own, words: resolution.words, stdio };
  try {
    const good = await container.commands![name]!.run(context as never);
    // What the command wrote before is written before this.
    process.stdout.write("", () => exitWith(good ? EXIT.ok : EXIT.failed));
  } catch (error) {
    exitWith(EXIT.failed, "", `${container.name} ${name}: ${(error as Error).message}`);
  }
}

async function problemsOf(
  container: AnyContainer,
  { problems, values, writtenAs, origins }: Resolution<OptionTable>,
  purpose: Purpose,
): Promise<readonly string[]> {
  if (problems.length > 0 || purpose === "unchecked" || container.check === undefined) return problems;
  return container.check(values as never, writtenAs, { origins, starting: purpose === "start" });
}

/** What is wrong, a line each. Somebody who starts it with nothing wants to know first what there is to give. */
function complaint(
  container: AnyContainer,
  problems: readonly string[],
  { purpose, words }: { purpose: Purpose; words: CommandWords },
): string {
  const lines = problems.map((problem) => `${container.name}: ${problem}`);
  const usage = purpose === "start" && nothingIsGiven(container, words) ? [helpOf(container, undefined), ""] : [];
  return [...usage, ...lines].join("\n");
}

/** Whether there is neither a flag nor a variable of the container's own: an image brings some of other names itself. */
const nothingIsGiven = ({ name }: AnyContainer, { argv, env }: CommandWords): boolean =>
  argv.length === 0 && !Object.keys(env).some((variable) => variable.startsWith(`${prefixOf(name)}_`));

function reportOf(action: Action, table: OptionTable, { values, origins }: Resolution<OptionTable>): string {
  return action === "printConfig" ? printConfig(table, values, origins) : "the configuration is usable";
}

async function live(
  container: AnyContainer,
  { values }: Resolution<OptionTable>,
  settings: StartSettings,
): Promise<void> {
  const starting = startContainer(container, values as never, settings);
  // Before it has started: a signal that nobody handles would be lost on process 1, and end any other at once.
  handleSignals(starting);
  let started: StartedContainer;
  try {
    started = await starting;
  } catch (error) {
    return exitWith(EXIT.failed, "", `${container.name}: ${(error as Error).message}`);
  }
  const { log, stopped } = started;
  process.on("uncaughtException", (error) => {
    log.fatal({ error: { message: error.message, stack: error.stack } }, "crashed");
    process.exit(EXIT.failed);
  });
  const { finished } = await stopped;
  process.exit(finished ? EXIT.ok : EXIT.failed);
}

/** SIGHUP reloads, SIGTERM and SIGINT stop, each as soon as the container has started; a second of these ends at once. */
function handleSignals(starting: Promise<StartedContainer>): void {
  const whenStarted = (act: (started: StartedContainer) => unknown): void =>
    // That it could not be started is the starter's to tell.
    void starting.then(act, () => undefined);
  process.on("SIGHUP", () => whenStarted(({ reload }) => reload()));
  let asked = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (asked) {
        whenStarted(({ log }) => log.warn({ signal }, "stopped at once by a second signal"));
        setImmediate(() => process.exit(EXIT.failed));
      } else whenStarted(({ stop }) => stop());
      asked = true;
    });
  }
}

/** Writes what there is to say, waits until it is written, and ends the process. */
function exitWith(status: number, out = "", error = ""): void {
  process.exitCode = status;
  const end = (): never => process.exit(status);
  if (out !== "") process.stdout.write(`${out}\n`, end);
  else if (error !== "") process.stderr.write(`${error}\n`, end);
  else end();
}
