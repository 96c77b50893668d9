// A small DNS server: answers A and SRV from a zone that tests change, and can be told to fail (RFC 1035, RFC 2782).
import { createSocket } from "node:dgram";

import type { Cleanup } from "@outrigger/testing";

export type Zone = {
  /** Addresses by host. */
  a: Record<string, string>;
  /** Target and port by name. */
  srv: Record<string, readonly { readonly target: string; readonly port: number }[]>;
  /** Answers nothing but that it cannot. */
  fails: boolean;
};

const [A, SRV, IN] = [1, 33, 1];
const [NO_ERROR, SERVER_FAILURE, NO_NAME] = [0, 2, 3];

export async function startDns(zone: Zone, cleanup: Cleanup): Promise<{ address: string; asked: () => number }> {
  const server = createSocket("udp4");
  let asked = 0;
  server.on("message", (query, from) => {
    asked++;
    server.send(answerTo(query, zone), from.port, from.address);
  });
  await new Promise<void>((resolve) => void server.bind(0, "127.0.0.1", resolve));
  cleanup(() => void server.close());
  return { address: `127.0.0.1:${server.address().port}`, asked: () => asked };
}

function answerTo(query: Buffer, zone: Zone): Buffer {
  let at = 12;
  const labels: string[] = [];
  while (query[at] !== 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
    at += query[at]! + 1;
  }
  const name = labels.join(".").toLowerCase();
  const type = query.readUInt16BE(at + 1);
  const isKnown = name in zone.a || name in zone.srv;
  const records = zone.fails ? [] : recordsOf(name, type, zone);
  const header = Buffer.from(query.subarray(0, 12));
  // A response, authoritative, recursion available.
  header.writeUInt16BE(0x8580 | (zone.fails ? SERVER_FAILURE : isKnown ? NO_ERROR : NO_NAME), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, query.subarray(12, at + 5), ...records.map((data) => record(type, data))]);
}

function recordsOf(name: string, type: number, zone: Zone): Buffer[] {
  const address = zone.a[name];
  if (type === A && address !== undefined) return [Buffer.from(address.split(".").map(Number))];
  if (type !== SRV) return [];
  return (zone.srv[name] ?? []).map(({ target, port }) => {
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16BE(port, 4);
    return Buffer.concat([numbers, encoded(target)]);
  });
}

/** The name of a record is that of the question, by a pointer to it. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(IN, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const encoded = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
