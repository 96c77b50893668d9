// The shard ambassador in the demo: a cache of four shards that the application sees as one.
import type { LogRecord } from "@outrigger/testing";

import type { ContainerProcess } from "../container.ts";
import type { Part, Pod, RunningPart } from "../part.ts";
import type { Cache } from "./cache.ts";
import { startCache } from "./cache.ts";
import { checksOf } from "./checks.ts";

export type Scene = {
  readonly process: ContainerProcess;
  /** Where the application finds its cache. */
  readonly port: number;
  readonly caches: readonly Cache[];
};

const NAMES = ["cache-0", "cache-1", "cache-2", "cache-3"];

/** `shard cache-1 is down: lost the connection` */
function compact({ msg, shard, reason }: LogRecord): string | undefined {
  if (shard === undefined) return undefined;
  return `${msg}: ${shard}${reason === undefined ? "" : ` ${reason}`}`;
}

async function start(pod: Pod): Promise<RunningPart> {
  const caches = await Promise.all(NAMES.map(startCache));
  const flags = {
    listen: `127.0.0.1:${await pod.portFor(6379)}`,
    "admin-listen": `127.0.0.1:${await pod.portFor(9911)}`,
    shards: caches.map(({ name, port }) => `127.0.0.1:${port} ${name}`).join(","),
    // So that a shard that is killed is back soon.
    "probe-interval": "200ms",
    "drain-delay": "0",
    "shutdown-timeout": "5s",
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const process = pod.startContainer("shard-ambassador", { label: "shards", args, compact });
  await process.ready();
  const [port, adminPort] = [await process.portOf("redis"), await process.portOf("admin")];
  return {
    processes: [process],
    listeners: [{ who: "shards", url: `redis://127.0.0.1:${port}`, what: "shard-ambassador: four caches as one" }],
    files: [],
    tries: [
      {
        what: "Which of the four caches owns a key",
        command: `curl "http://127.0.0.1:${adminPort}/api/v1/route?key=pontoon"`,
      },
      { what: "The four caches", command: `curl http://127.0.0.1:${adminPort}/api/v1/shards` },
    ],
    keys: [
      {
        key: "k",
        what: "kill cache-1 for three seconds: only its keys are gone",
        press: () => killLive(pod, caches[1]!),
      },
    ],
    checks: checksOf({ process, port, caches }),
  };
}

const AWAY_MS = 3000;

async function killLive(pod: Pod, cache: Cache): Promise<void> {
  cache.kill();
  pod.say(`killed ${cache.name}: its keys get an error at once, all others are served`);
  await new Promise((resolve) => void setTimeout(resolve, AWAY_MS));
  await cache.restart();
  pod.say(`started ${cache.name} again, empty`);
}

export const part: Part = {
  summary: "shard-ambassador makes four caches look like one, and sends each key to the one that owns it",
  start,
};
