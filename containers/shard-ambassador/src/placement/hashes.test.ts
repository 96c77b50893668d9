// Known values of every hash function.
import { createHash } from "node:crypto";

import { assert, constantFrom, property, uint8Array } from "fast-check";
import { expect, test } from "vitest";

import { crc16Xmodem } from "./crc.ts";
import { HASHES, HASH_NAMES } from "./hashes.ts";
import type { HashName } from "./hashes.ts";
import { md5Of, md5Words } from "./md5.ts";
import { lower, upper, xxh64 } from "./xxh64.ts";

const hashOf = (name: HashName, key: string): number => {
  const bytes = Buffer.from(key);
  return HASHES[name](bytes, 0, bytes.length) >>> 0;
};

const xxh64Of = (text: string, seed = 0): string => {
  const bytes = Buffer.from(text);
  xxh64(bytes, 0, bytes.length, seed);
  return [upper(), lower()].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
};

test.each<[HashName, number]>([
  ["one_at_a_time", 2297466611],
  ["md5", 3195025439],
  ["crc16", 3662830516],
  ["crc32", 10542],
  ["crc32a", 2838417488],
  ["fnv1_64", 473199127],
  ["fnv1a_64", 1488911807],
  ["fnv1_32", 67176023],
  ["fnv1a_32", 280767167],
  ["hsieh", 3738850110],
  ["murmur", 4142305122],
  ["jenkins", 1442444624],
])("%s of apple is what twemproxy computes", (name, expected) => {
  expect(hashOf(name, "apple")).toBe(expected);
});

test("bytes beyond ASCII count as signed, as on x86", () => {
  expect(hashOf("fnv1a_64", "café")).toBe(0xcef6bb89);
});

test("md5 of any bytes is the digest that OpenSSL gives", () => {
  assert(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      md5Of(bytes, 0, bytes.length);
      expect(Buffer.from(md5Words.buffer).toString("hex")).toBe(createHash("md5").update(bytes).digest("hex"));
    }),
  );
});

test.each([
  ["", 0, "ef46db3751d8e999"],
  ["", 1, "d5afba1336a3be4b"],
  ["a", 0, "d24ec4f1a98c6e5b"],
  ["abc", 0, "44bc2cf5ad770999"],
  ["Nobody inspects the spammish repetition", 0, "fbcea83c8a378bf1"],
])("xxh64 of %j with the seed %i is the published value", (text, seed, expected) => {
  expect(xxh64Of(text, seed)).toBe(expected);
});

test("the CRC of Redis Cluster is CRC-16/XMODEM", () => {
  expect(crc16Xmodem(Buffer.from("123456789"), 0, 9)).toBe(0x31c3);
  expect(crc16Xmodem(Buffer.from("foo"), 0, 3) & 16_383).toBe(12_182);
});

test("only the range that is asked for is read, wherever it stands", () => {
  assert(
    property(
      constantFrom(...HASH_NAMES),
      uint8Array({ maxLength: 80 }),
      uint8Array({ maxLength: 9 }),
      (name, key, around) => {
        const within = Buffer.concat([around, key, around]);
        const start = around.length;
        expect(HASHES[name](within, start, start + key.length)).toBe(HASHES[name](key, 0, key.length));
      },
    ),
  );
});
