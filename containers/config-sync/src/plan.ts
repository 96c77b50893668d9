// From options to jobs: each job's own keys over those of the short form, every text parsed, every problem told.
import { resolve, sep } from "node:path";

import { host } from "@outrigger/runtime";
import type { Host } from "@outrigger/runtime";

import { parseConfirmation } from "./confirmation.ts";
import type { Confirmation } from "./confirmation.ts";
import type { Environment } from "./deps.ts";
import type { Notifier } from "./notifiers/notifier.ts";
import { parseNotifier } from "./notifiers/parse.ts";
import { JOB_KEYS } from "./options.ts";
import type { JobKeys, JobValues, Values } from "./options.ts";
import { parseRenderer } from "./rendering/render.ts";
import type { Renderer } from "./rendering/render.ts";
import { parseSource } from "./sources/parse.ts";
import type { SourceFactory } from "./sources/source.ts";
import { parseValidator } from "./validators/parse.ts";
import type { Validator } from "./validators/validator.ts";
import { parseWaitFor } from "./wait-for.ts";
import type { Probe } from "./wait-for.ts";
import type { Parsed } from "./written.ts";

/** Everything that a job does, ready to be done. */
export type Plan = {
  readonly name: string;
  readonly values: JobValues;
  /** Undefined: the sources are only watched, and their changes announced. */
  readonly output: string | undefined;
  readonly fileMode: number;
  readonly folderMode: number;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly sources: readonly SourceFactory[];
  readonly renderers: readonly Renderer[];
  readonly env: Environment;
  readonly validators: readonly Validator[];
  readonly notifiers: readonly Notifier[];
  readonly confirmation: Confirmation | undefined;
  readonly probe: Probe | undefined;
};

export type Plans = { readonly plans: readonly Plan[]; readonly problems: readonly string[] };

/** What plans are made with; `signal` is aborted when the container begins to end. */
export type World = { readonly env: Environment; readonly host: Host; readonly signal: AbortSignal };

export const outsideWorld = (signal: AbortSignal): World => ({ env: host.environment, host, signal });

type Written = (key: keyof JobValues) => string;

/** The jobs of these options; complete only when there are no problems. */
export function planJobs(values: Values, writtenAs: Readonly<Record<keyof Values, string>>, world: World): Plans {
  const problems: string[] = [];
  const plans: Plan[] = [];
  const { jobs = [] } = values;
  if (values.output !== undefined || jobs.length === 0)
    plans.push(planJob("default", values, { world, problems, written: (key) => writtenAs[key] }));
  for (const [at, job] of jobs.entries()) {
    const written: Written = (key) => (job[key] === undefined ? writtenAs[key] : `${writtenAs.jobs}[${at}].${key}`);
    plans.push(planJob(job.name, valuesOf(values, job), { world, problems, written }));
  }
  problems.push(...problemsTogether(plans));
  return { plans, problems };
}

/** A job has what it sets itself, and else what the short form says; but sources and output are its own. */
function valuesOf(values: Values, job: JobKeys): JobValues {
  const own = Object.fromEntries(JOB_KEYS.flatMap((key) => (job[key] === undefined ? [] : [[key, job[key]]])));
  return { ...values, source: [], output: undefined, ...own };
}

function planJob(
  name: string,
  values: JobValues,
  { world, problems, written }: { world: World; problems: string[]; written: Written },
): Plan {
  const parse = <T>(key: keyof JobValues, texts: readonly string[], parser: (text: string) => Parsed<T>): T[] =>
    texts.flatMap((text) => {
      const parsed = parser(text);
      if (parsed.problem === undefined) return [parsed.value];
      problems.push(`${written(key)}: ${parsed.problem}`);
      return [];
    });
  const one = <T>(key: keyof JobValues, text: string | undefined, parser: (text: string) => Parsed<T>): T | undefined =>
    parse(key, text === undefined ? [] : [text], parser)[0];
  if (values.source.length === 0) problems.push(`${written("source")}: expected at least one source, got none`);
  if (values.output === undefined) problems.push(...problemsWithoutOutput(values, written));
  const { env, host, signal } = world;
  const timeoutMs = values.notifyTimeout;
  return {
    name,
    values,
    output: values.output === undefined ? undefined : resolve(values.output),
    fileMode: one("fileMode", values.fileMode, parseMode) ?? 0,
    folderMode: one("folderMode", values.folderMode, parseMode) ?? 0,
    owner: one("owner", values.owner, parseOwner),
    sources: parse("source", values.source, (text) => parseSource(text, env)),
    renderers: parse("render", values.render, parseRenderer),
    env,
    validators: parse("validate", values.validate, (text) => parseValidator(text, { env, timeoutMs })),
    notifiers: parse("notify", values.notify, (text) => parseNotifier(text, { ...webhookOf(values), env, host })),
    confirmation: one("confirm", values.confirm, (text) =>
      parseConfirmation(text, {
        env,
        signal,
        questionMs: timeoutMs,
        timeoutMs: values.confirmTimeout,
        text: values.confirmText,
      }),
    ),
    probe: one("waitFor", values.waitFor, parseWaitFor),
  };
}

/** What is only watched lies where the application reads it already: it can be announced, and nothing else. */
function problemsWithoutOutput({ source, notify, validate, render }: JobValues, written: Written): string[] {
  const problems: string[] = [];
  if (notify.length === 0)
    problems.push(`${written("output")}: expected a folder, or somebody to notify of changes without one, got neither`);
  const brought = source.find((text) => !text.startsWith("dir:"));
  if (brought !== undefined)
    problems.push(`${written("output")}: expected a folder for what comes from ${brought.split("?")[0]}, got none`);
  for (const [key, texts] of [
    ["validate", validate],
    ["render", render],
  ] as const) {
    if (texts.length > 0) problems.push(`${written(key)}: expected an output for it, got none`);
  }
  return problems;
}

const webhookOf = (values: JobValues) => ({
  timeoutMs: values.notifyTimeout,
  method: values.notifyMethod,
  headers: values.notifyHeader,
  body: values.notifyBody,
  authorizationFile: values.notifyAuthorizationFile,
  statuses: values.notifyStatus,
});

const parseMode = (text: string): Parsed<number> =>
  /^0?[0-7]{3}$/.test(text)
    ? { value: Number.parseInt(text, 8) }
    : { problem: `expected an octal mode such as 0644, got ${text}` };

function parseOwner(text: string): Parsed<{ uid: number; gid: number }> {
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(text);
  if (match === null) return { problem: `expected UID:GID, got ${text}` };
  return { value: { uid: Number(match[1]), gid: Number(match[2]) } };
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

function problemsTogether(plans: readonly Plan[]): string[] {
  const problems: string[] = [];
  for (const [at, { name, output }] of plans.entries()) {
    if (!NAME.test(name)) problems.push(`jobs: expected names of lower-case letters, digits and hyphens, got ${name}`);
    for (const other of plans.slice(0, at)) {
      if (other.name === name) problems.push(`jobs: expected a name for each, got ${name} twice`);
      if (output === undefined || other.output === undefined) continue;
      if (
        `${output}${sep}`.startsWith(`${other.output}${sep}`) ||
        `${other.output}${sep}`.startsWith(`${output}${sep}`)
      )
        problems.push(`output: expected a folder for each job, got ${other.output} and ${output}`);
    }
  }
  return problems;
}
