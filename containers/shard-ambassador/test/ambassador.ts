// An ambassador under test: the container as a process, with clients for it.
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

import type { Cleanup, Container, Program } from "@outrigger/testing";
import { freePort, spawnContainer } from "@outrigger/testing";
import { Redis } from "ioredis";

import { ReplyParser } from "../src/redis/reply-parser.ts";
import { startRedis } from "./programs.ts";

export type Ambassador = Container & { readonly port: number };

export const NAMES = ["alpha", "beta", "gamma", "delta"] as const;

/** Starts an ambassador on a free port, and waits until its shards are up (or it only listens). */
export async function startAmbassador(
  shards: readonly { readonly port: number }[],
  {
    args = [],
    ready = true,
    listener = "redis",
    cleanup,
  }: { args?: readonly string[]; ready?: boolean; listener?: string; cleanup: Cleanup },
): Promise<Ambassador> {
  const list = shards.map(({ port }, i) => `127.0.0.1:${port} ${NAMES[i]}`).join(",");
  const listed = shards.length === 0 ? [] : ["--shards", list];
  const quick = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
  const container = spawnContainer({ name: "shard-ambassador", args: [...quick, ...listed, ...args], cleanup });
  const address = await container.address(listener);
  const isUp = (name: string) =>
    container.waitForLog((record) => record.msg === "shard is up" && record["shard"] === name);
  if (ready) await Promise.all(shards.map((_, i) => isUp(NAMES[i]!)));
  return Object.assign(container, { port: Number(address.split(":").at(-1)) });
}

/** Four redis-servers, and the ambassador in front of them. */
export async function startAll(
  cleanup: Cleanup,
  args: readonly string[] = [],
): Promise<{ shards: Program[]; ambassador: Ambassador }> {
  const shards = await Promise.all(NAMES.map(async () => startRedis(cleanup, await freePort())));
  return { shards, ambassador: await startAmbassador(shards, { args, cleanup }) };
}

/** A client as applications have it. */
export function createClient(port: number, cleanup: Cleanup, protocol: 2 | 3 = 3): Redis {
  const client = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: 0, retryStrategy: () => null, protocol });
  client.on("error", () => undefined);
  cleanup(() => client.disconnect());
  return client;
}

export const command = (...args: string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join("")}`;

export type RawClient = {
  readonly socket: Socket;
  /** The replies so far, as they stood on the wire. */
  readonly replies: string[];
  /** Whether the other side has ended the connection. */
  readonly ended: () => boolean;
};

/** A client that sees every reply as it is. */
export function createRawClient(port: number, cleanup: Cleanup): RawClient {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const replies: string[] = [];
  const parser = new ReplyParser(1e9);
  let begun = "";
  let hasEnded = false;
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const start = at;
      at = parser.read(chunk, at);
      begun += chunk.toString("latin1", start, at);
      if (!parser.complete) continue;
      replies.push(begun);
      begun = "";
    }
  });
  const end = (): void => void (hasEnded = true);
  socket.on("end", end).on("close", end);
  cleanup(() => void socket.destroy());
  return { socket, replies, ended: () => hasEnded };
}

/** Passes bytes on to a port, each chunk after a delay of its own but in order: a shard at the end of a bad line. */
export async function startDelay(target: number, delayMs: () => number, cleanup: Cleanup): Promise<{ port: number }> {
  const pass = (from: Socket, to: Socket): void => {
    let before = Promise.resolve();
    from.on("data", (chunk: Buffer) => {
      before = before.then(async () => {
        await new Promise((resolve) => void setTimeout(resolve, delayMs()));
        to.write(chunk);
      });
    });
    from.on("error", () => undefined).on("close", () => void before.then(() => to.destroy()));
  };
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    open.add(near).add(far);
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port };
}
