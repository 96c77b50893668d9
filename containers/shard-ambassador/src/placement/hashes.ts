// The hash functions by the names that twemproxy's users know, and xxh64.
import { crc16, crc32, crc32a } from "./crc.ts";
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from "./fnv.ts";
import type { Hash } from "./hash.ts";
import { jenkins, oneAtATime } from "./jenkins.ts";
import { md5 } from "./md5.ts";
import { hsieh, murmur } from "./murmur.ts";
import { xxh64Lower } from "./xxh64.ts";

export const HASH_NAMES = [
  "one_at_a_time",
  "md5",
  "crc16",
  "crc32",
  "crc32a",
  "fnv1_64",
  "fnv1a_64",
  "fnv1_32",
  "fnv1a_32",
  "hsieh",
  "murmur",
  "jenkins",
  "xxh64",
] as const;
export type HashName = (typeof HASH_NAMES)[number];

export const HASHES: Readonly<Record<HashName, Hash>> = {
  one_at_a_time: oneAtATime,
  md5,
  crc16,
  crc32,
  crc32a,
  fnv1_64,
  fnv1a_64,
  fnv1_32,
  fnv1a_32,
  hsieh,
  murmur,
  jenkins,
  xxh64: xxh64Lower,
};
