// Decides who answers a command: a shard, several, or the ambassador itself.
import type { Locate } from "../placement/node.ts";
import type { ClientSettings } from "../proxy/client-connection.ts";
import type { DispatchSettings, Session } from "../proxy/dispatching.ts";
import type { Slot } from "../proxy/slot.ts";
import { commandOf } from "./commands.ts";
import type { Command, MergeKind } from "./commands.ts";
import { BAD_ARGUMENTS, CROSS_SHARD, shardOf } from "./keys.ts";
import { answerLocally } from "./local.ts";
import { createRefusing } from "./refusing.ts";
import type { Refusing } from "./refusing.ts";
import type { RequestParser } from "./request-parser.ts";
import { createSpecials } from "./specials.ts";
import type { Specials } from "./specials.ts";
import { split } from "./split.ts";

export function createDispatch(settings: DispatchSettings): ClientSettings<RequestParser>["dispatch"] {
  const { topologies, local } = settings;
  const refusing = createRefusing(settings);
  const { refuse, refuseBlocking, refuseWhole, refuseKeys } = refusing;
  const specials = specialsOf(settings, refusing);

  return (request, slot, session) => {
    const command = commandOf(request.bytes, request.argumentStart(0), request.argumentEnd(0));
    if (local.password !== undefined && !session.isAuthenticated && !isOpen(command))
      refuse(slot, "unauthenticated", "Authentication required.", "NOAUTH");
    else if (session.special === undefined || !specials.take(command, request, slot, session))
      dispatchOne(command, request, slot, session);
  };

  function dispatchOne(command: Command | undefined, request: RequestParser, slot: Slot, session: Session): void {
    if (command === undefined)
      return refuse(slot, "unknown_command", `unknown command '${request.text(0).slice(0, 128)}'`);
    switch (command.kind) {
      case "local":
        return slot.answer(answerLocally(command.name, request, session, local));
      case "transaction":
      case "subscription":
        return specials.begin(command, request, slot, session);
      case "blocking":
        return refuseBlocking(slot, command.name);
      case "whole":
        return refuseWhole(slot, command.name);
      default:
        return dispatchKeys(command, request, slot, session);
    }
  }

  function dispatchKeys(command: Command, request: RequestParser, slot: Slot, session: Session): void {
    const shard = shardNumber(command, request, topologies.current.locate);
    if (command.kind === "keys" && command.first < request.count)
      settings.hotKeys.see(request.bytes, request.argumentStart(command.first), request.argumentEnd(command.first));
    if (shard >= 0) send(shard, slot, { command, session, part: 0 }, request.bytes, request.start, request.end);
    else if (shard === CROSS_SHARD && command.merge !== undefined)
      sendParts(command, command.merge, request, slot, session);
    else refuseKeys(command, shard, slot);
  }

  function send(
    shard: number,
    slot: Slot,
    { command, session, part }: { command: Command; session: Session; part: number },
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const owner = topologies.current.shards[shard]!;
    const { counters, link } = command.isRead && owner.reader !== undefined ? owner.reader() : owner;
    counters.requests.add(1);
    link(session.protocol, session.id).send(slot, part, bytes, start, end);
  }

  function sendParts(command: Command, kind: MergeKind, request: RequestParser, slot: Slot, session: Session): void {
    const { parts, merge } = split(command, kind, request, topologies.current.locate);
    slot.merge = merge;
    settings.onSplit(parts.length);
    parts.forEach(({ shard, bytes }, part) => send(shard, slot, { command, session, part }, bytes, 0, bytes.length));
  }
}

/** Whether a client that has not given its password may use it. */
const isOpen = (command: Command | undefined): boolean =>
  command?.name === "auth" || command?.name === "hello" || command?.name === "quit";

/** Keys with values come in pairs. */
const isPaired = ({ step, first }: Command, { count }: RequestParser): boolean => (count - first) % step === 0;

/** The shard that owns the keys of a command, or one of the negative numbers of keys.ts. */
const shardNumber = (command: Command, request: RequestParser, locate: Locate): number =>
  isPaired(command, request) ? shardOf(command, request, locate) : BAD_ARGUMENTS;

function specialsOf(settings: DispatchSettings, { refuse, refuseKeys }: Refusing): Specials {
  const { topologies } = settings;
  return createSpecials({
    ...settings,
    shardFor: (command, request, slot) => {
      const shard = shardNumber(command, request, topologies.current.locate);
      if (shard < 0) refuseKeys(command, shard, slot);
      return topologies.current.shards[shard];
    },
    refuseCrossShard: (command, slot) => refuseKeys(command, CROSS_SHARD, slot),
    refuse,
  });
}
