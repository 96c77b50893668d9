// Whether a shard that speaks HTTP can be reached: requests tell, and once it has failed often enough, probes until it answers.
import { get } from "node:http";
import { get as getByTls } from "node:https";

import type { Address } from "@outrigger/options";

import type { TlsOptionsFor } from "../shard-tls.ts";

export type HealthSettings = {
  readonly address: Address;
  readonly tls?: TlsOptionsFor | undefined;
  /** Failures in a row from which on it is not asked any more, but probed. */
  readonly failureLimit: number;
  readonly probePath: string;
  readonly probeTimeout: number;
  /** The longest pause between probes. */
  readonly maxBackoff: number;
  /** Whether it can be reached, and why not; told when that changes, and once at the beginning. */
  onState(isUp: boolean, reason: string): void;
  /** It has failed, or works again. */
  onHealth(): void;
};

export type Health = {
  /** In a row. */
  failures(): number;
  state(): { readonly up: boolean; readonly reason: string };
  succeed(): void;
  fail(reason: string): void;
  stop(): void;
};

const MIN_BACKOFF_MS = 50;

/** It is probed at once. */
export function watchHealth(settings: HealthSettings): Health {
  const { failureLimit, maxBackoff } = settings;
  let failures = 0;
  let known: boolean | undefined;
  let state = { up: false, reason: "not asked yet" };
  let probes = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  void probe();
  return { failures: () => failures, state: () => state, succeed, fail, stop };

  function succeed(): void {
    failures = 0;
    if (!state.up) set(true, "answers");
  }

  function fail(reason: string): void {
    failures++;
    if (failures < failureLimit || !state.up) return settings.onHealth();
    set(false, reason);
    return probeLater();
  }

  function set(up: boolean, reason: string): void {
    state = { up, reason };
    if (known !== up) settings.onState(up, reason);
    known = up;
    settings.onHealth();
  }

  async function probe(): Promise<void> {
    const problem = await ask(settings);
    if (isStopped) return;
    if (problem === undefined) {
      probes = 0;
      succeed();
      return;
    }
    failures++;
    set(false, problem);
    probeLater();
  }

  function probeLater(): void {
    const wait = Math.min(MIN_BACKOFF_MS * 2 ** Math.min(probes++, 20), maxBackoff);
    // Not all at the same time.
    timer = setTimeout(() => void probe(), wait * (0.75 + Math.random() / 2)).unref();
  }

  function stop(): void {
    isStopped = true;
    clearTimeout(timer);
  }
}

/** Asks for the path; gives what is wrong, or undefined when there is an answer. */
function ask({ address, tls, probePath, probeTimeout }: HealthSettings): Promise<string | undefined> {
  const where = "path" in address ? { socketPath: address.path } : address;
  return new Promise((resolve) => {
    const request = (tls === undefined ? get : getByTls)(
      {
        ...where,
        ...tls?.(address),
        path: probePath,
        timeout: probeTimeout,
        agent: false,
        headers: { host: "localhost" },
      },
      ({ statusCode = 0 }) => {
        resolve(statusCode < 500 ? undefined : `answers ${probePath} with ${statusCode}`);
        request.destroy();
      },
    );
    request.on("timeout", () => {
      resolve("does not answer in time");
      request.destroy();
    });
    request.on("error", (error: NodeJS.ErrnoException) =>
      resolve(`cannot be reached (${error.code ?? error.message})`),
    );
  });
}
