// Decides who answers a command: a shard, several, or the ambassador itself.
import type { HashTag } from "../placement/placement.ts";
import type { ClientSettings } from "../proxy/client-connection.ts";
import type { DispatchSettings, Refusal, Session } from "../proxy/dispatching.ts";
import type { Slot } from "../proxy/slot.ts";
import { commandOf } from "./commands.ts";
import type { Command, MergeKind } from "./commands.ts";
import { CROSS_SHARD, shardOf, WOULD_BLOCK } from "./keys.ts";
import { answerLocally } from "./local.ts";
import { errorReply } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";
import { split } from "./split.ts";

export function createDispatch(settings: DispatchSettings): ClientSettings<RequestParser>["dispatch"] {
  const { topologies, local } = settings;

  return (request, slot, session) => {
    const command = commandOf(request.bytes, request.argumentStart(0), request.argumentEnd(0));
    if (local.password !== undefined && !session.isAuthenticated && !isOpen(command))
      refuse(slot, "unauthenticated", "Authentication required.", "NOAUTH");
    else if (command === undefined)
      refuse(slot, "unknown_command", `unknown command '${request.text(0).slice(0, 128)}'`);
    else if (command.kind === "local") slot.answer(answerLocally(command.name, request, session, local));
    else if (command.kind === "blocking") refuseBlocking(slot, command.name);
    else if (command.kind === "whole") refuse(slot, "unsupported", wholeText(command.name));
    else dispatchKeys(command, request, slot, session);
  };

  function dispatchKeys(command: Command, request: RequestParser, slot: Slot, session: Session): void {
    const { locate, hashTag } = topologies.current;
    const shard = isPaired(command, request) ? shardOf(command, request, locate) : Number.NaN;
    if (shard >= 0) send(shard, slot, { session, part: 0 }, request.bytes, request.start, request.end);
    else if (shard === CROSS_SHARD && command.merge !== undefined)
      sendParts(command, command.merge, request, slot, session);
    else if (shard === CROSS_SHARD)
      refuse(
        slot,
        "cross_shard",
        `keys of '${command.name}' are on different shards: ${remedyOf(hashTag)}`,
        "CROSSSHARD",
      );
    else if (shard === WOULD_BLOCK) refuseBlocking(slot, command.name);
    else refuse(slot, "bad_arguments", `wrong number of arguments for '${command.name}' command`);
  }

  function send(
    shard: number,
    slot: Slot,
    { session, part }: { session: Session; part: number },
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { counters, link } = topologies.current.shards[shard]!;
    counters.requests.add(1);
    link(session.protocol, session.id).send(slot, part, bytes, start, end);
  }

  function sendParts(command: Command, kind: MergeKind, request: RequestParser, slot: Slot, session: Session): void {
    const { parts, merge } = split(command, kind, request, topologies.current.locate);
    slot.merge = merge;
    settings.onSplit(parts.length);
    parts.forEach(({ shard, bytes }, part) => send(shard, slot, { session, part }, bytes, 0, bytes.length));
  }

  function refuse(slot: Slot, reason: Refusal, text: string, code?: string): void {
    settings.onRefused(reason);
    slot.answer(errorReply(text, code));
  }

  function refuseBlocking(slot: Slot, name: string): void {
    refuse(slot, "unsupported", `'${name}' would wait, and hold up all who share the connection to the shard`);
  }
}

/** Whether a client that has not given its password may use it. */
const isOpen = (command: Command | undefined): boolean =>
  command?.name === "auth" || command?.name === "hello" || command?.name === "quit";

/** Keys with values come in pairs. */
const isPaired = ({ step, first }: Command, { count }: RequestParser): boolean => (count - first) % step === 0;

const wholeText = (name: string): string =>
  `'${name}' concerns a whole server or its connection, and cannot be sent to one shard`;

function remedyOf(hashTag: HashTag | undefined): string {
  if (hashTag === undefined) return "give --hash-tag, and keys a common part between its two characters";
  const [open, close] = [hashTag.open, hashTag.close].map((code) => String.fromCharCode(code));
  return `a hash tag keeps them together, such as user:${open}7${close}:name and user:${open}7${close}:mail`;
}
