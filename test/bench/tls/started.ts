// Starting a subject, or the backend, and knowing when it serves.
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Running } from "../programs.ts";
import { findProgram, freePort, startProgram } from "../programs.ts";
import { LARGE, SMALL } from "./answers.ts";
import type { Certificate } from "./certificate.ts";
import type { Endpoint } from "./client.ts";
import { connectTls } from "./client.ts";
import type { Subject } from "./subjects.ts";
import { writeTemplate } from "./template.ts";

export type Surroundings = Certificate & { readonly folder: string; readonly backend: number; readonly ca: string };

export type Started = {
  readonly endpoint: Endpoint;
  readonly pid: number;
  /** From starting the process to the first handshake done, in milliseconds. */
  readonly startUp: number;
  stop(): Promise<void>;
};

const DEADLINE_MS = 15_000;
const RETRY_MS = 2;

/** Tries until `attempt` succeeds. Rejects when the program has ended, or after 15 s. */
async function untilServing(program: Running, attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      program.assertRunning();
      if (performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}

export async function startSubject(subject: Subject, around: Surroundings): Promise<Started> {
  const port = await freePort();
  const endpoint = { port, ca: around.ca };
  const command = subject.command({ ...around, port });
  const begin = performance.now();
  const program = await startProgram(command, join(around.folder, `${subject.name}.log`));
  try {
    await untilServing(program, async () => {
      (await connectTls(endpoint)).destroy();
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { endpoint, pid: program.pid, startUp: performance.now() - begin, stop: async () => program.stop() };
}

export type Backend = { readonly port: number; readonly description: string; stop(): Promise<void> };

/** Starts nginx, or a small Node server where it is not installed, with the small and the large file. */
export async function startBackend(folder: string): Promise<Backend> {
  const files = join(folder, "files");
  mkdirSync(files, { mode: 0o755 });
  for (const { name, bytes } of [SMALL, LARGE]) writeFileSync(join(files, name), Buffer.alloc(bytes, "x"));
  const port = await freePort();
  const nginx = findProgram("nginx");
  const script = join(import.meta.dirname, "backend.mjs");
  const command =
    nginx === undefined
      ? [process.execPath, script, String(port), files]
      : [
          nginx,
          "-e",
          "stderr",
          "-p",
          folder,
          "-c",
          writeTemplate("backend.conf", "backend.conf", folder, { port, files }),
        ];
  const program = await startProgram(command, join(folder, "backend.log"));
  await untilServing(program, async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
  });
  return { port, description: nginx === undefined ? "a small Node server" : "nginx", stop: async () => program.stop() };
}
