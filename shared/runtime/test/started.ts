// The demonstration container started in this process, on free ports.
import type { Address, OptionTable } from "@outrigger/options";
import { resolveOptions } from "@outrigger/options";
import type { Answer, Cleanup, RequestInit } from "@outrigger/testing";
import { request } from "@outrigger/testing";

import type { ContainerDefinition, MetricTable, StartedContainer } from "../src/index.ts";
import { startContainer, tableOf } from "../src/index.ts";
import type { AnyContainer } from "../src/index.ts";
import { readTextFile } from "../src/read-file.ts";
import type { StartSettings } from "../src/start.ts";
import { demo } from "./demo.ts";
import type { CapturedLog } from "./log.ts";
import { captureLog } from "./log.ts";

export type Started = StartedContainer &
  Pick<CapturedLog, "lines"> & { ask(path: string, init?: RequestInit, address?: Address): Promise<Answer> };

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];

/** The values of these flags, which must be right. */
export function valuesOf(container: AnyContainer, args: readonly string[] = []): never {
  const { values, problems } = resolveOptions(container.name, tableOf(container), {
    argv: [...QUICK, ...args],
    env: {},
    readFile: readTextFile,
  });
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return values as never;
}

export type StartOptions<O extends OptionTable, M extends MetricTable> = {
  readonly args?: readonly string[];
  /** What is other than in the demonstration. */
  readonly container?: Partial<ContainerDefinition<O, M>>;
  readonly cleanup?: Cleanup;
  readonly settings?: StartSettings;
};

/** Starts it; later flags win over those for free ports and no waiting. */
export async function startDemo<O extends OptionTable, M extends MetricTable>({
  args = [],
  container = {},
  cleanup,
  settings = {},
}: StartOptions<O, M> = {}): Promise<Started> {
  const { sink, lines } = captureLog();
  const whole = { ...demo, ...container } as AnyContainer;
  const started = await startContainer(whole, valuesOf(whole, args), { sink, ...settings });
  cleanup?.(async () => void (await started.stop()));
  const ask = (path: string, init?: RequestInit, address = started.admin): Promise<Answer> =>
    request(address, path, init);
  return { ...started, lines, ask };
}
