// What can be wrong with a frame by itself: its size, and whether it is about a stream (RFC 9113 section 6).
import type { ErrorCode, Frame } from "./frames.ts";
import { ERROR, FLAG, TYPE } from "./frames.ts";

type Rule = { readonly on: "stream" | "connection" | "either"; fits(size: number): boolean };

const RULES: Readonly<Record<number, Rule>> = {
  [TYPE.data]: { on: "stream", fits: () => true },
  [TYPE.headers]: { on: "stream", fits: () => true },
  [TYPE.priority]: { on: "stream", fits: (size) => size === 5 },
  [TYPE.reset]: { on: "stream", fits: (size) => size === 4 },
  [TYPE.settings]: { on: "connection", fits: (size) => size % 6 === 0 },
  [TYPE.ping]: { on: "connection", fits: (size) => size === 8 },
  [TYPE.goaway]: { on: "connection", fits: (size) => size >= 8 },
  [TYPE.windowUpdate]: { on: "either", fits: (size) => size === 4 },
  [TYPE.continuation]: { on: "stream", fits: () => true },
};

/** The error for which the connection has to end, or undefined for a frame that is in order. */
export function problemOf({ type, stream, flags, start, end }: Frame): ErrorCode | undefined {
  const rule = RULES[type];
  if (rule === undefined) return undefined;
  if (rule.on !== "either" && (rule.on === "stream") !== (stream !== 0)) return ERROR.protocol;
  const ack = type === TYPE.settings && (flags & FLAG.ack) !== 0;
  return rule.fits(end - start) && !(ack && end > start) ? undefined : ERROR.frameSize;
}
