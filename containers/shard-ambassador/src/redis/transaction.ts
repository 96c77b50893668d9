// MULTI, EXEC, WATCH and their like for one client, within one shard. Commands are kept until EXEC and then sent in one
// piece, so that clients which share the connection cannot come between; what is watched has a connection of its own.
import type { Session, Special } from "../proxy/dispatching.ts";
import type { Recipient, ShardLink } from "../proxy/shard-link.ts";
import type { Shard } from "../proxy/shard.ts";
import type { Slot } from "../proxy/slot.ts";
import type { Command } from "./commands.ts";
import type { OwnConnection, OwnConnections } from "./own-connections.ts";
import { errorReply, OK, reply } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";

export type TransactionSettings = {
  readonly session: Session;
  readonly own: OwnConnections;
  /** Bytes that may be kept until EXEC. */
  readonly maxBytes: number;
  /** The shard of a command's keys; undefined after it has answered the slot with why there is none. */
  shardFor(command: Command, request: RequestParser, slot: Slot): Shard | undefined;
  /** For what has no keys. */
  anyShard(): Shard;
  refuseCrossShard(command: Command, slot: Slot): void;
  refuse(slot: Slot, reason: "unsupported" | "bad_arguments" | "overloaded", text: string): void;
};

const QUEUED = Buffer.from("+QUEUED\r\n");
const EMPTY = Buffer.from("*0\r\n");
const NULLS = { 2: Buffer.from("*-1\r\n"), 3: Buffer.from("_\r\n") };
const [MULTI, EXEC, UNWATCH] = ["MULTI", "EXEC", "UNWATCH"].map((name) => reply([name])) as [Buffer, Buffer, Buffer];
/** Commands without keys that may be queued. */
const KEYLESS = new Set(["ping", "echo"]);
const HAVE_KEYS = new Set<Command["kind"]>(["keys", "numkeys", "store", "streams"]);
/** Takes a reply that nobody is told of: EXEC tells of all. */
const nobody: Recipient = { take: () => undefined };

export class Transaction implements Special {
  readonly #settings: TransactionSettings;
  /** Where the keys are that are watched or queued. */
  #shard: Shard | undefined;
  #watch: OwnConnection | undefined;
  /** The connection that watched is lost, so nobody knows what has changed. */
  #isBlind = false;
  #isQueueing = false;
  #isAborted = false;
  #commands: Buffer[] = [];
  #bytes = 0;

  constructor(settings: TransactionSettings) {
    this.#settings = settings;
  }

  close(): void {
    this.#watch?.close();
    this.#forget();
  }

  take(command: Command | undefined, request: RequestParser, slot: Slot): boolean {
    if (command?.name === "quit") return false;
    if (command?.kind === "transaction") this.handle(command.name, command, request, slot);
    else if (this.#isQueueing) return this.#queue(command, request, slot);
    else return this.#passOn(command, request, slot);
    return true;
  }

  handle(name: string, command: Command, request: RequestParser, slot: Slot): void {
    if (name === "watch") this.#watchKeys(command, request, slot);
    else if (request.count > 1) this.#settings.refuse(slot, "bad_arguments", `wrong number of arguments for '${name}'`);
    else if (name === "unwatch") this.#unwatch(slot);
    else if (name === "multi") this.#begin(slot);
    else if (!this.#isQueueing) slot.answer(errorReply(`${name.toUpperCase()} without MULTI`));
    else if (name === "discard") this.#discard(slot);
    else this.#execute(slot);
  }

  /** Ends it unless something has been begun. */
  settle(): void {
    if (!this.#isQueueing && this.#shard === undefined) this.#end();
  }

  #begin(slot: Slot): void {
    if (this.#isQueueing) return slot.answer(errorReply("MULTI calls can not be nested"));
    this.#isQueueing = true;
    return slot.answer(OK);
  }

  #watchKeys(command: Command, request: RequestParser, slot: Slot): void {
    const { session, own, shardFor, refuseCrossShard, refuse } = this.#settings;
    if (this.#isQueueing) return slot.answer(errorReply("WATCH inside MULTI is not allowed"));
    const shard = shardFor({ ...command, kind: "keys" }, request, slot);
    if (shard === undefined) return undefined;
    if (this.#shard !== undefined && this.#shard !== shard) return refuseCrossShard(command, slot);
    this.#watch ??= own.open(shard, session, { onLost: () => this.#onLost() });
    if (this.#watch === undefined) {
      return refuse(slot, "overloaded", "too many clients watch keys or are subscribed (--max-own-connections)");
    }
    this.#shard = shard;
    return this.#watch.link.send(slot, 0, request.bytes, request.start, request.end);
  }

  #onLost(): void {
    this.#isBlind = true;
    this.#watch?.close();
  }

  /** A command outside of MULTI: to the shard that watches by the same connection, so that it comes after the WATCH. */
  #passOn(command: Command | undefined, request: RequestParser, slot: Slot): boolean {
    const { link } = this.#watch ?? {};
    if (link === undefined || this.#isBlind || command === undefined || command.merge !== undefined) return false;
    if (!HAVE_KEYS.has(command.kind)) return false;
    const shard = this.#settings.shardFor(command, request, slot);
    if (shard === this.#shard) link.send(slot, 0, request.bytes, request.start, request.end);
    else if (shard !== undefined) return false;
    return true;
  }

  #queue(command: Command | undefined, request: RequestParser, slot: Slot): boolean {
    const isKeyless = command !== undefined && KEYLESS.has(command.name);
    const refused = isKeyless ? undefined : this.#whyNot(command, request, slot);
    if (refused === true) this.#isAborted = true;
    // Whatever else is wrong with it is said as it always is.
    if (refused === "elsewhere") {
      this.#isAborted = true;
      return false;
    }
    if (refused !== undefined) return true;
    this.#keep(Buffer.from(request.bytes.subarray(request.start, request.end)), slot);
    return true;
  }

  #keep(bytes: Buffer, slot: Slot): void {
    this.#commands.push(bytes);
    this.#bytes += bytes.length;
    this.#settings.session.hold(bytes.length);
    slot.answer(QUEUED);
  }

  /** Whether it was refused here, or is to be by whoever refuses it outside of MULTI; undefined if it can be queued. */
  #whyNot(command: Command | undefined, request: RequestParser, slot: Slot): true | "elsewhere" | undefined {
    const { shardFor, refuseCrossShard, refuse, maxBytes } = this.#settings;
    if (command?.kind === "local") {
      refuse(slot, "unsupported", `'${command.name}' cannot be part of a transaction`);
      return true;
    }
    if (command === undefined || command.kind === "whole" || command.kind === "blocking") return "elsewhere";
    if (command.kind === "subscription") return "elsewhere";
    if (this.#bytes + request.end - request.start > maxBytes) {
      refuse(slot, "overloaded", "the transaction is larger than --max-request");
      return true;
    }
    const shard = shardFor(command, request, slot);
    if (shard === undefined) return true;
    if (this.#shard !== undefined && this.#shard !== shard) {
      refuseCrossShard(command, slot);
      return true;
    }
    this.#shard = shard;
    return undefined;
  }

  #discard(slot: Slot): void {
    this.#stopQueueing();
    this.#unwatch(slot);
  }

  #unwatch(slot: Slot): void {
    // EXEC ends what is watched anyway, but the reply of this one is among its own.
    if (this.#isQueueing) return this.#keep(UNWATCH, slot);
    const watch = this.#watch;
    if (watch === undefined || this.#isBlind) slot.answer(OK);
    else sendLast(watch, UNWATCH, slot);
    return this.#end();
  }

  #execute(slot: Slot): void {
    const { session, anyShard } = this.#settings;
    const [commands, watch] = [this.#commands, this.#watch];
    const shard = this.#shard ?? (commands.length > 0 ? anyShard() : undefined);
    const [isAborted, isBlind] = [this.#isAborted, this.#isBlind];
    this.#stopQueueing();
    this.#end();
    if (isAborted) {
      watch?.close();
      return slot.answer(errorReply("Transaction discarded because of previous errors.", "EXECABORT"));
    }
    if (isBlind) return slot.answer(NULLS[session.protocol]);
    if (shard === undefined) return slot.answer(EMPTY);
    shard.counters.requests.add(commands.length);
    if (watch === undefined) return sendBlock(shard.link(session.protocol, session.id), commands, slot);
    return sendBlock(watch.link, commands, closing(watch, slot));
  }

  #stopQueueing(): void {
    this.#isQueueing = false;
    this.#isAborted = false;
    this.#forget();
  }

  #forget(): void {
    this.#settings.session.hold(-this.#bytes);
    this.#commands = [];
    this.#bytes = 0;
  }

  /** The client is as any other from now on. */
  #end(): void {
    this.#shard = undefined;
    this.#watch = undefined;
    this.#isBlind = false;
    const { session } = this.#settings;
    if (session.special === this) session.special = undefined;
  }
}

function sendBlock(link: ShardLink, commands: readonly Buffer[], last: Recipient): void {
  for (const bytes of [MULTI, ...commands]) link.send(nobody, 0, bytes, 0, bytes.length);
  link.send(last, 0, EXEC, 0, EXEC.length);
}

function sendLast(own: OwnConnection, bytes: Buffer, slot: Slot): void {
  own.link.send(closing(own, slot), 0, bytes, 0, bytes.length);
}

/** Passes the reply on, and ends the connection after it. */
const closing = (own: OwnConnection, slot: Slot): Recipient => ({
  take: (part, bytes, start, end) => {
    slot.take(part, bytes, start, end);
    own.close();
  },
});
