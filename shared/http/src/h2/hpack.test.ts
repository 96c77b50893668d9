import * as http2 from "node:http2";

import { startRawServer, until } from "@outrigger/testing";
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  property,
  string,
  stringMatching,
  tuple,
  uint8Array,
} from "fast-check";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { FrameReader, PREFACE, TYPE, settingsFrame, trimPayload } from "./frames.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

const LIMITS = { maxListBytes: 1 << 20, maxFields: 1000 };
const pairs = (decoder: HpackDecoder): string[][] => decoder.fields.map(({ name, value }) => [name, value]);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** The requests that Node's own client sends on one connection, as our decoder reads them. */
async function readRequests(requests: Record<string, string>[]): Promise<string[][][]> {
  const blocks: Buffer[] = [];
  const server = await startRawServer(
    (socket) => {
      const reader = new FrameReader();
      let prefaced = false;
      socket.write(settingsFrame([]));
      socket.on("data", (bytes: Buffer) => {
        reader.push(bytes);
        prefaced ||= reader.skipPreface() === true;
        for (let frame = prefaced ? reader.next() : undefined; frame !== undefined; frame = reader.next()) {
          if (frame === "tooLarge" || frame.type !== TYPE.headers) continue;
          trimPayload(frame);
          blocks.push(Buffer.from(frame.bytes.subarray(frame.start, frame.end)));
        }
      });
    },
    { cleanup },
  );
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  session.on("error", () => undefined);
  cleanup(() => session.destroy());
  for (const [index, headers] of requests.entries()) {
    const stream = session.request({ ":path": `/${index}`, ...headers });
    stream.on("error", () => undefined);
  }
  await until(() => blocks.length === requests.length);
  session.destroy();
  const decoder = new HpackDecoder(LIMITS);
  return blocks.map((block) => {
    expect(decoder.decode(block)).toBe(true);
    return pairs(decoder);
  });
}

describe("what Node's client compresses", () => {
  test("is read the same, with every character that it may send, and with its table over many requests", async () => {
    const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i));
    const requests = Array.from({ length: 300 }, (_, i) => ({
      "x-visible": visible,
      [`x-name-${i % 70}`]: `${i % 11}`.repeat(1 + (i % 200)),
      "user-agent": "a test",
    }));
    const read = await readRequests(requests);
    for (const [index, fields] of read.entries()) {
      expect(fields).toContainEqual([":path", `/${index}`]);
      for (const [name, value] of Object.entries(requests[index]!)) expect(fields).toContainEqual([name, value]);
    }
  });

  test("is read the same for values of any text", async () => {
    await assert(
      asyncProperty(
        array(string({ unit: constantFrom(...'abcXYZ019 ~!{}|^<>\\"@[]') }), { minLength: 1, maxLength: 20 }),
        async (values) => {
          const sent = values.map((value) => value.trim());
          const read = await readRequests(sent.map((value) => ({ "x-value": value })));
          expect(read.map((fields) => fields.find(([name]) => name === "x-value")?.[1])).toEqual(sent);
        },
      ),
      { numRuns: 20 },
    );
  });
});

test("what we compress is read back", () => {
  assert(
    property(
      integer({ min: 100, max: 599 }),
      array(tuple(stringMatching(/^[a-z][a-z-]{0,20}$/), string({ maxLength: 300 }))),
      (status, fields) => {
        const encoder = new HpackEncoder().begin().status(status);
        const latin1 = fields.map(([name, value]) => [name, value.replace(/[^ -~]/g, "?").trim()] as const);
        for (const [name, value] of latin1) encoder.field(name, value);
        const decoder = new HpackDecoder(LIMITS);
        expect(decoder.decode(encoder.take())).toBe(true);
        expect(pairs(decoder)).toEqual([[":status", String(status)], ...latin1.map((field) => [...field])]);
      },
    ),
  );
});

describe("a block that is no HPACK", () => {
  test.each([
    ["index 0", "80"],
    ["an index beyond the tables", "c0"],
    ["an integer without an end", "ff ff ff ff ff ff ff ff ff ff"],
    ["an integer that is too large", "ff ff ff ff ff 7f"],
    ["a name that ends early", "00 05 61"],
    ["a value that is missing", "00 01 61"],
    ["a table larger than ours", "3f e2 1f"],
    ["a change of the table behind a field", "82 20"],
    ["a Huffman string with the end in it", "00 84 ff ff ff ff 01 61"],
    ["a Huffman string with padding of zeros", "00 81 18 01 61"],
    ["a Huffman string with eight bits of padding", "00 82 1f ff 01 61"],
  ])("ends the connection: %s", (_, block) => {
    expect(new HpackDecoder(LIMITS).decode(hex(block))).toBe(false);
  });

  test("never throws, whatever it is", () => {
    assert(
      property(array(uint8Array({ maxLength: 300 }), { maxLength: 10 }), (blocks) => {
        const decoder = new HpackDecoder(LIMITS);
        for (const block of blocks) decoder.decode(Buffer.from(block));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("limits", () => {
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x40, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);

  test("what is beyond them is not kept, but the table stays the peer's", () => {
    const decoder = new HpackDecoder({ maxListBytes: 100, maxFields: 10 });
    expect(decoder.decode(Buffer.concat([literal("a", "1".repeat(60)), literal("b", "2")]))).toBe(true);
    expect([decoder.tooLarge, decoder.fields.length]).toEqual([true, 1]);
    expect(decoder.decode(hex("be"))).toBe(true);
    expect([decoder.tooLarge, pairs(decoder)]).toEqual([false, [["b", "2"]]]);
  });

  test("a bomb of references to one large entry is cut off", () => {
    const decoder = new HpackDecoder({ maxListBytes: 16_384, maxFields: 100_000 });
    const large = literal("a", "x".repeat(120));
    decoder.decode(large);
    expect(decoder.decode(Buffer.alloc(16_000, 0xbe))).toBe(true);
    expect(decoder.tooLarge).toBe(true);
    expect(decoder.fields.length).toBeLessThan(16_384 / 150);
  });

  test("the oldest entries leave the table when there is no room, and nothing stays in a table of nothing", () => {
    const decoder = new HpackDecoder(LIMITS);
    for (let i = 0; i < 200; i++) expect(decoder.decode(literal("name", String(i).padStart(3, "0")))).toBe(true);
    // 39 bytes each in 4096: 105 entries.
    expect(decoder.decode(Buffer.from([0xff, 61 + 105 + 1 - 1 - 127]))).toBe(true);
    expect(pairs(decoder)).toEqual([["name", "095"]]);
    expect(decoder.decode(Buffer.from([0xff, 61 + 105 + 1 - 127]))).toBe(false);
    const shrunk = new HpackDecoder(LIMITS);
    expect(shrunk.decode(Buffer.concat([hex("20"), literal("a", "1")]))).toBe(true);
    expect(shrunk.decode(hex("be"))).toBe(false);
  });
});

test("frames are cut the same wherever the bytes are", () => {
  const bytes = Buffer.concat([PREFACE, settingsFrame([[3, 100]]), settingsFrame([]), settingsFrame([[4, 1]])]);
  const cut = (at: number): string[] => {
    const reader = new FrameReader();
    const seen: string[] = [];
    let prefaced = false;
    for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
      reader.push(part);
      if (!prefaced) prefaced = reader.skipPreface() === true;
      if (!prefaced) continue;
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        if (frame !== "tooLarge") seen.push(`${frame.type} ${frame.bytes.toString("hex", frame.start, frame.end)}`);
      }
    }
    return seen;
  };
  for (let at = 0; at <= bytes.length; at++) expect(cut(at)).toEqual(["4 000300000064", "4 ", "4 000400000001"]);
});
