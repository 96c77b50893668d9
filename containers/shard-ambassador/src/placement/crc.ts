// Cyclic redundancy checks as hashes: twemproxy's three, nginx's, and the one of Redis Cluster.
import type { Hash } from "./hash.ts";

const TABLE_32 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});

const TABLE_16 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc & 0xffff;
});

/** CRC-32 before its last inversion, so that more bytes can be added; it begins with -1. */
export function updateCrc32(begun: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = begun;
  for (let i = start; i < end; i++) crc = TABLE_32[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return crc;
}

/** Standard CRC-32. */
export const crc32a: Hash = (bytes, start, end) => ~updateCrc32(-1, bytes, start, end);

/** The upper 15 bits of CRC-32, as the first memcached clients used it. */
export const crc32: Hash = (bytes, start, end) => (crc32a(bytes, start, end) >>> 16) & 0x7fff;

/** CRC-16/XMODEM in a register of 32 bits whose upper half twemproxy never clears. */
export const crc16: Hash = (bytes, start, end) => {
  let crc = 0;
  for (let i = start; i < end; i++) crc = (crc << 8) ^ TABLE_16[((crc >>> 8) ^ bytes[i]!) & 255]!;
  return crc;
};

/** CRC-16/XMODEM proper, of which Redis Cluster takes the lower 14 bits. */
export const crc16Xmodem: Hash = (bytes, start, end) => crc16(bytes, start, end) & 0xffff;
