// C16 and C17 of the container contract: nothing that comes in can hurt, on either runtime.
import { readFileSync } from "node:fs";

import { rawExchange } from "@outrigger/testing";
import { constantFrom, sample, tuple, uint8Array } from "fast-check";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { listenersOf, start, subjects } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** Private memory of a process, in KiB. */
const rssAnon = (pid: number): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);

/** Beginnings of protocols, so that random bytes get further than the first check. */
const BEGINNINGS = [
  Buffer.alloc(0),
  Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]),
  Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n"),
  Buffer.from("*3\r\n$3\r\nSET\r\n"),
  Buffer.from('{"a":'),
];

describe.each(subjects)("$name", (subject: Subject) => {
  test("C16 random bytes on any listener neither end it nor make it grow", async () => {
    const container = await start(subject, cleanup);
    const admin = await container.address("admin");
    const ports = [...listenersOf(container).map(({ port }) => port), Number(admin.split(":").at(-1))];
    const input = tuple(constantFrom(...BEGINNINGS), uint8Array({ maxLength: 4096 }), constantFrom(...ports));
    const attack = async ([beginning, bytes, port]: [Buffer, Uint8Array, number]): Promise<void> => {
      await rawExchange({ port, send: [beginning, bytes], end: true, timeoutMs: 200 });
    };
    const samples = sample(input, 400);
    for (let i = 0; i < 100; i += 20) await Promise.all(samples.slice(i, i + 20).map(attack));
    const warm = rssAnon(container.pid);
    for (let i = 100; i < 400; i += 20) await Promise.all(samples.slice(i, i + 20).map(attack));
    expect(rssAnon(container.pid) - warm).toBeLessThan(64 * 1024);
    expect((await container.admin("/readyz")).status).toBe(200);
    expect(await container.stop()).toEqual({ code: 0, signal: null });
  }, 60_000);

  test("C17 the bundle says on which runtime it runs", async () => {
    const container = await start(subject, cleanup);
    const { runtime } = JSON.parse((await container.admin("/version")).body) as { runtime: string };
    const expected = process.env["OUTRIGGER_RUNTIME"] === "bun" ? /^bun 1\.4\./ : /^node 26\./;
    expect(runtime).toMatch(expected);
  });
});
