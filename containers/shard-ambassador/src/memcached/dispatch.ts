// Decides who answers a command of memcached: a shard, several, or the ambassador itself.
import type { DispatchSettings, LocalSettings, Refusal, Session } from "../proxy/dispatching.ts";
import type { Slot } from "../proxy/slot.ts";
import { binaryKey, problemOf } from "./checks.ts";
import { COMMANDS } from "./commands.ts";
import type { Command } from "./commands.ts";
import { clientError, FENCE, lineReply, NOTHING, UNKNOWN } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";
import { split } from "./split.ts";

const CRLF = Buffer.from("\r\n");
/** Drops the reply: the client does not want any. */
const drop = { add: () => NOTHING };

export type Dispatch = (request: RequestParser, slot: Slot, session: Session) => void;

export function createDispatch({ topologies, local, hotKeys, onRefused, onSplit }: DispatchSettings): Dispatch {
  return (request, slot, session) => {
    const name = request.text(0);
    const command = COMMANDS.get(name);
    const isSilent = command?.kind !== "meta" && request.text(request.count - 1) === "noreply";
    const refused = refusalOf(name, command, request);
    if (refused !== undefined) {
      onRefused(refused.reason);
      slot.answer(isSilent ? NOTHING : refused.reply);
    } else if (command!.kind === "local") answer(name, request, slot, { session, local });
    else if (command!.kind === "keys") sendKeys(command!, request, slot, session);
    else if (command!.kind === "meta") sendMeta(command!, request, slot, session);
    else sendOne(request, isSilent, slot, session);
  };

  function linkOf(shard: number, { id }: Session): ReturnType<(typeof topologies.current.shards)[number]["link"]> {
    const { counters, link } = topologies.current.shards[shard]!;
    counters.requests.add(1);
    return link(2, id);
  }

  function ownerOf(key: Uint8Array): number {
    hotKeys.see(key, 0, key.length);
    return topologies.current.locate(key, 0, key.length);
  }

  function sendKeys({ first }: Command, request: RequestParser, slot: Slot, session: Session): void {
    const { parts, merge } = split(request, first, topologies.current.locate);
    hotKeys.see(request.bytes, request.argumentStart(first), request.argumentEnd(first));
    if (parts.length > 1) {
      slot.merge = merge;
      onSplit(parts.length);
    }
    for (const [part, { shard, bytes }] of parts.entries()) {
      linkOf(shard, session).send(slot, part, bytes, 0, bytes.length);
    }
  }

  /** Without `noreply`: the shard has to answer, so that it is known which reply belongs to whom. */
  function sendOne(request: RequestParser, isSilent: boolean, slot: Slot, session: Session): void {
    const link = linkOf(ownerOf(wordOf(request, 1)), session);
    if (!isSilent) return link.send(slot, 0, request.bytes, request.start, request.end);
    slot.merge = drop;
    const line = request.bytes.subarray(request.start, request.argumentEnd(request.count - 2));
    const data = request.bytes.subarray(request.lineEnd + 2, request.end);
    const loud = Buffer.concat([line, CRLF, data]);
    return link.send(slot, 0, loud, 0, loud.length);
  }

  /** A quiet command may have no reply: what follows it tells. */
  function sendMeta({ flags }: Command, request: RequestParser, slot: Slot, session: Session): void {
    const { isQuiet, isBinary } = flagsOf(request, flags);
    const key = isBinary ? binaryKey(request.text(1))! : wordOf(request, 1);
    const link = linkOf(ownerOf(key), session);
    if (isQuiet) link.sendQuiet(slot, request.bytes, request.start, request.end);
    else link.send(slot, 0, request.bytes, request.start, request.end);
  }
}

/** The ambassador's own answers. */
function answer(
  name: string,
  request: RequestParser,
  slot: Slot,
  { session, local }: { session: Session; local: LocalSettings },
): void {
  if (name === "version") return slot.answer(lineReply(`VERSION ${local.version} shard-ambassador`));
  if (name === "mn") return slot.answer(FENCE);
  if (name === "quit") {
    session.quit();
    return slot.answer(NOTHING);
  }
  if (request.text(1) !== "route") return slot.answer(clientError("expected outrigger route <key>"));
  const { shard, address } = local.explain(wordOf(request, 2));
  return slot.answer(lineReply(`ROUTE ${shard} ${address}`));
}

const wordOf = (request: RequestParser, i: number): Buffer =>
  request.bytes.subarray(request.argumentStart(i), request.argumentEnd(i));

type Refused = { readonly reason: Refusal; readonly reply: Buffer };

/** Why the ambassador does not pass a command on. */
function refusalOf(name: string, command: Command | undefined, request: RequestParser): Refused | undefined {
  if (command === undefined) return { reason: "unknown_command", reply: UNKNOWN };
  const problem = problemOf(name, command, request);
  if (problem !== undefined) return { reason: "bad_arguments", reply: clientError(problem) };
  if (command.kind !== "whole") return undefined;
  const reply = clientError(`'${name}' concerns a whole server, and cannot be sent to one shard`);
  return { reason: "unsupported", reply };
}

function flagsOf(request: RequestParser, from: number): { isQuiet: boolean; isBinary: boolean } {
  let isQuiet = false;
  let isBinary = false;
  for (let i = from; i < request.count; i++) {
    const flag = request.text(i);
    isQuiet ||= flag === "q";
    isBinary ||= flag === "b";
  }
  return { isQuiet, isBinary };
}
