// SUBSCRIBE and its like for one client: all of its channels are on one shard, by a connection of its own. What is
// published goes to the client as it comes.
import type { Session, Special } from "../proxy/dispatching.ts";
import type { Shard } from "../proxy/shard.ts";
import type { Slot } from "../proxy/slot.ts";
import type { Command } from "./commands.ts";
import type { OwnConnection, OwnConnections } from "./own-connections.ts";
import { reply } from "./replies.ts";
import type { RequestParser } from "./request-parser.ts";

export type SubscriptionSettings = {
  readonly session: Session;
  readonly own: OwnConnections;
  shardFor(command: Command, request: RequestParser, slot: Slot): Shard | undefined;
  /** The shard that owns a channel now. */
  ownerOf(channel: Buffer): Shard;
  refuseCrossShard(command: Command, slot: Slot): void;
  refuse(slot: Slot, reason: "unsupported" | "bad_arguments" | "overloaded", text: string): void;
  /** It is over. */
  onEnd(): void;
};

/** What a subscribed client may still say with RESP2. */
const ALLOWED = new Set(["ping", "quit"]);
const PONG = reply(["pong", ""]);
/** What a channel takes besides its name, here and at the shard. */
const OVERHEAD = 128;
const MESSAGE = Buffer.from("message\r\n");
const SHARD_MESSAGE = Buffer.from("smessage\r\n");

/** Puts the confirmations of one command together. */
const joining = (parts: number) => {
  const replies: Buffer[] = [];
  let waiting = parts;
  return {
    add: (part: number, bytes: Buffer): Buffer | undefined => {
      replies[part] = bytes;
      waiting--;
      return waiting > 0 ? undefined : Buffer.concat(replies);
    },
  };
};

export class Subscription implements Special {
  readonly #settings: SubscriptionSettings;
  #shard: Shard | undefined;
  #connection: OwnConnection | undefined;
  /** `subscribe` or `ssubscribe`, and the channel. */
  readonly #channels = new Map<string, { readonly name: Buffer; readonly kind: string }>();

  constructor(settings: SubscriptionSettings) {
    this.#settings = settings;
  }

  close(): void {
    this.#connection?.close();
    this.#settings.onEnd();
  }

  /** A channel has another owner now: what is published there would not come here. */
  tend(): void {
    const { session, ownerOf } = this.#settings;
    if ([...this.#channels.values()].some(({ name }) => ownerOf(name) !== this.#shard)) session.destroy();
  }

  take(command: Command | undefined, request: RequestParser, slot: Slot): boolean {
    if (command?.kind === "subscription") this.handle(command, request, slot);
    else if (this.#settings.session.protocol === 3) return false;
    else if (command?.name === "ping" && request.count === 1) slot.answer(PONG);
    else if (ALLOWED.has(command?.name ?? "")) return false;
    else this.#refuseOthers(command, request, slot);
    return true;
  }

  handle(command: Command, request: RequestParser, slot: Slot): void {
    if (command.name.endsWith("unsubscribe")) this.#unsubscribe(command.name, request, slot);
    else this.#subscribe(command, request, slot);
  }

  #refuseOthers(command: Command | undefined, request: RequestParser, slot: Slot): void {
    const name = command?.name ?? request.text(0).slice(0, 128);
    this.#settings.refuse(
      slot,
      "unsupported",
      `Can't execute '${name}': only (S)SUBSCRIBE / (S)UNSUBSCRIBE / PING / QUIT are allowed while subscribed with RESP2`,
    );
  }

  #subscribe(command: Command, request: RequestParser, slot: Slot): void {
    const { shardFor, refuseCrossShard } = this.#settings;
    const shard = shardFor({ ...command, kind: "keys" }, request, slot);
    if (shard === undefined) return this.#endIfIdle();
    if (this.#shard !== undefined && this.#shard !== shard) return refuseCrossShard(command, slot);
    this.#connection ??= this.#open(shard);
    if (this.#connection === undefined) {
      this.#settings.refuse(
        slot,
        "overloaded",
        "too many clients watch keys or are subscribed (--max-own-connections)",
      );
      return this.#endIfIdle();
    }
    this.#shard = shard;
    const names = argumentsOf(request);
    for (const name of names) this.#remember(name, command.name);
    return this.#sendEach(command.name, names, slot);
  }

  #open(shard: Shard): OwnConnection | undefined {
    const { session, own } = this.#settings;
    return own.open(shard, session, {
      // As a server does that goes away: clients subscribe again.
      onLost: () => session.destroy(),
      onAside: (bytes, start, end) => {
        const isMessage = [MESSAGE, SHARD_MESSAGE].some((word) => isFirst(bytes, start, word));
        if (isMessage) session.push(Buffer.from(bytes.subarray(start, end)));
        return isMessage;
      },
    });
  }

  #unsubscribe(name: string, request: RequestParser, slot: Slot): void {
    const kind = name.replace("un", "");
    const mine = [...this.#channels.values()].filter((channel) => channel.kind === kind);
    const names = request.count > 1 ? argumentsOf(request) : mine.map((channel) => channel.name);
    if (this.#connection === undefined || names.length === 0) {
      slot.answer(nothingLeft(name, this.#settings.session.protocol));
      return this.#endIfIdle();
    }
    for (const channel of names) this.#forget(channel, kind);
    return this.#sendEach(name, names, slot);
  }

  /** One command for each channel, since each has a reply of its own. */
  #sendEach(name: string, channels: readonly Buffer[], slot: Slot): void {
    const connection = this.#connection!;
    const isLast = this.#channels.size === 0;
    slot.merge = joining(channels.length);
    for (const [part, channel] of channels.entries()) {
      const bytes = Buffer.concat([Buffer.from("*2\r\n"), reply(name), bulkOf(channel)]);
      const isEnd = isLast && part === channels.length - 1;
      connection.link.send(isEnd ? ending(connection, slot) : slot, part, bytes, 0, bytes.length);
    }
    if (isLast) this.#end();
  }

  #remember(name: Buffer, kind: string): void {
    const key = `${kind} ${name.toString("latin1")}`;
    if (this.#channels.has(key)) return;
    this.#channels.set(key, { name, kind });
    this.#settings.session.hold(name.length + OVERHEAD);
  }

  #forget(name: Buffer, kind: string): void {
    const isKnown = this.#channels.delete(`${kind} ${name.toString("latin1")}`);
    if (isKnown) this.#settings.session.hold(-name.length - OVERHEAD);
  }

  #endIfIdle(): void {
    if (this.#channels.size === 0) this.#end();
  }

  #end(): void {
    const { session } = this.#settings;
    if (session.special === this) session.special = undefined;
    this.#settings.onEnd();
  }
}

const ending = (connection: OwnConnection, slot: Slot) => ({
  take: (part: number, bytes: Buffer, start: number, end: number): void => {
    slot.take(part, bytes, start, end);
    connection.close();
  },
});

/** Copies: they outlast the command. */
const argumentsOf = (request: RequestParser): Buffer[] =>
  Array.from({ length: request.count - 1 }, (_, i) =>
    Buffer.from(request.bytes.subarray(request.argumentStart(i + 1), request.argumentEnd(i + 1))),
  );

const bulkOf = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);

/** The reply to one who has nothing to unsubscribe from. */
function nothingLeft(name: string, protocol: 2 | 3): Buffer {
  const [head, none] = protocol === 3 ? [">3", "_"] : ["*3", "$-1"];
  return Buffer.from(`${head}\r\n$${name.length}\r\n${name}\r\n${none}\r\n:0\r\n`);
}

/** Whether the first element of an array is this word (with its CR LF). */
function isFirst(bytes: Buffer, start: number, word: Buffer): boolean {
  const element = bytes.indexOf("\r\n", start) + 2;
  const text = bytes.indexOf("\r\n", element) + 2;
  return word.equals(bytes.subarray(text, text + word.length));
}
