// Whether the application can serve: asked again and again, by a connection or by a request.
import { get } from "node:http";
import { connect } from "node:net";
import type { NetConnectOpts } from "node:net";

import type { Address } from "@outrigger/options";

/** Why the application cannot serve, or undefined when it can. */
export type Verdict = string | undefined;

/** Asks once: `path` by HTTP, where 200 to 399 is good; without one a connection is enough. */
export function askTarget(target: Address, path: string | undefined, timeoutMs: number): Promise<Verdict> {
  return path === undefined ? askByConnecting(target, timeoutMs) : askByRequest(target, path, timeoutMs);
}

function askByConnecting(target: Address, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: timeoutMs } as NetConnectOpts);
    socket.on("connect", () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on("timeout", () => {
      resolve("no connection in time");
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function askByRequest(target: Address, path: string, timeoutMs: number): Promise<Verdict> {
  const where = "path" in target ? { socketPath: target.path } : { host: target.host, port: target.port };
  return new Promise((resolve) => {
    const request = get(
      { ...where, path, timeout: timeoutMs, agent: false, headers: { host: "localhost" } },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 400 ? undefined : `${path} answered ${status}`);
      },
    );
    request.on("timeout", () => {
      resolve(`${path} did not answer in time`);
      request.destroy();
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

export type TargetWatch = { stop(): void };

/** Asks every `intervalMs`, at once first, and reports each verdict. */
export function watchTarget(
  ask: () => Promise<Verdict>,
  intervalMs: number,
  report: (verdict: Verdict) => void,
): TargetWatch {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const turn = async (): Promise<void> => {
    const verdict = await ask();
    if (stopped) return;
    report(verdict);
    timer = setTimeout(() => void turn(), intervalMs).unref();
  };
  void turn();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
