// What is wrong with the words of a command. A server answers some mistakes without reading the data that follows, and then
// takes the data for commands: such commands must not reach it.
import type { Command } from "./commands.ts";
import type { RequestParser } from "./request-parser.ts";

const MAX_KEY = 250;
const MAX_FLAGS = 4_294_967_295;
const MAX_TIME = 2_147_483_647;
const WITH_DATA = new Set(["set", "add", "replace", "append", "prepend", "cas"]);
/** What only follows a key in a meta command: a letter, with a value or without one. */
const META_FLAG = /^[A-Za-z][!-~]{0,31}$/;

/** Why a command is not passed on, or undefined. */
export function problemOf(name: string, command: Command, request: RequestParser): string | undefined {
  if (request.count < command.min || request.count > command.max) return `wrong number of arguments for '${name}'`;
  if (command.kind === "local" || command.kind === "whole") return undefined;
  if (hasLongKey(command, request)) return "key too long";
  if (command.kind === "meta") return problemOfMeta(command, request);
  if (WITH_DATA.has(name) && !isStorage(name, command, request)) return "bad command line format";
  return undefined;
}

function hasLongKey({ kind, first }: Command, request: RequestParser): boolean {
  const last = kind === "keys" ? request.count - 1 : 1;
  for (let i = first; i <= last; i++) if (request.argumentEnd(i) - request.argumentStart(i) > MAX_KEY) return true;
  return false;
}

/** `set <key> <flags> <exptime> <bytes> [noreply]`, with the unique number of `cas` before the last. */
function isStorage(name: string, { max }: Command, request: RequestParser): boolean {
  const flags = request.text(2);
  const time = request.text(3);
  const isNumbered = name !== "cas" || /^\d{1,19}$/.test(request.text(5));
  const isEnded = request.count < max || request.text(max - 1) === "noreply";
  const isInRange = Number(flags) <= MAX_FLAGS && Math.abs(Number(time)) <= MAX_TIME;
  return /^\d{1,10}$/.test(flags) && /^-?\d{1,10}$/.test(time) && isInRange && isNumbered && isEnded;
}

function problemOfMeta({ flags }: Command, request: RequestParser): string | undefined {
  const seen = new Set<string>();
  for (let i = flags; i < request.count; i++) {
    const flag = request.text(i);
    if (!META_FLAG.test(flag) || seen.has(flag[0]!)) return "invalid flag";
    seen.add(flag[0]!);
  }
  return seen.has("b") && binaryKey(request.text(1)) === undefined ? "error decoding key" : undefined;
}

/** The bytes of a key that is written in base64, or undefined if it is not. */
export function binaryKey(text: string): Buffer | undefined {
  const key = Buffer.from(text, "base64");
  return key.length > 0 && key.toString("base64") === text ? key : undefined;
}
