// One connection to a shard, shared by many clients: commands go out in the order in which they come, and replies belong to
// them in that order. It reconnects for ever, and while it cannot, every command is answered with an error at once.
import type { Socket } from "node:net";

import type { Deadlines, Timed } from "@outrigger/http";
import type { Address } from "@outrigger/options";

import type { ShardTls } from "../shard-tls.ts";
import { dial } from "./dial.ts";
import { WORDS } from "./shard-failures.ts";
import type { ShardFailure } from "./shard-failures.ts";
import type { Flushable, Turn } from "./turn.ts";
import type { ReplyReader, Wire } from "./wire.ts";

/** Whoever waits for a reply. */
export type Recipient = {
  /** Takes the reply to part `part`; the bytes are good until the end of the turn. */
  take(part: number, bytes: Buffer, start: number, end: number): void;
};

/** What the owner of a connection of its own wants to hear. */
export type OwnLinkSettings = {
  /** The connection is over; it must be closed in this call, or it is opened again. */
  onLost(): void;
  /** Something has come that may be no reply: true takes it. */
  onAside?(bytes: Buffer, start: number, end: number): boolean;
};

export type LinkSettings = {
  readonly name: string;
  readonly address: Address;
  readonly wire: Wire;
  readonly tls: Pick<ShardTls, "optionsFor"> | undefined;
  /** Commands that each connection begins with; an error to one of them ends it. */
  readonly greeting: readonly Buffer[];
  readonly turn: Turn;
  readonly deadlines: Deadlines;
  readonly connectTimeout: number;
  readonly timeout: number;
  /** The longest pause before connecting again. */
  readonly maxBackoff: number;
  readonly maxReply: number;
  /** A reply has come after so many seconds. */
  onReply(seconds: number): void;
  /** A command was answered with an error, for this reason. */
  onFailure(reason: ShardFailure): void;
  /** Whether it is connected, and why not. */
  onState(isUp: boolean, reason: string): void;
  /** The connection is over. */
  onLost(reason: ShardFailure): void;
  /** Something has come that may be no reply: true takes it. */
  onAside?(bytes: Buffer, start: number, end: number): boolean;
};

const OUT_SIZE = 64 * 1024;
/** Commands from this size on are not copied. */
const LARGE = 8 * 1024;
const MIN_BACKOFF_MS = 50;
/** A connection that has lasted so long was a good one. */
const HEALTHY_MS = 1000;
const PUSH = 62;

/** Takes the reply to what the link has asked for itself. */
const nobody: Recipient = { take: () => undefined };
/** Takes the reply to the `mn` that follows a quiet command of memcached. */
const fence: Recipient = { take: () => undefined };
const ASK_FENCE = Buffer.from("mn\r\n");
const FENCE = Buffer.from("MN\r\n");

export class ShardLink implements Flushable, Timed {
  isQueued = false;
  deadline = 0;
  /** What was sent and has come, since the beginning. */
  requests = 0;
  requestBytes = 0;
  responses = 0;
  responseBytes = 0;

  readonly #settings: LinkSettings;
  #socket: Socket | undefined;
  #isConnected = false;
  #connectedAt = 0;
  /** Replies to the greeting that have not come yet. */
  #ungreeted = 0;
  #isClosed = false;
  /** Attempts to connect that have failed since the last connection. */
  #failures = 0;
  #downReply: Buffer | undefined;
  #retry: NodeJS.Timeout | undefined;
  #parser: ReplyReader;
  #pieces: Buffer[] = [];
  #out = Buffer.allocUnsafeSlow(OUT_SIZE);
  #filled = 0;
  #flushed = 0;

  // Those who wait, in order: a ring whose size is a power of two.
  #waiting: (Recipient | undefined)[] = Array.from({ length: 64 });
  #parts = new Uint32Array(64);
  #since = new Float64Array(64);
  /** How many bytes were sent before each. */
  #sent = new Float64Array(64);
  #head = 0;
  #tail = 0;

  constructor(settings: LinkSettings) {
    this.#settings = settings;
    this.#parser = settings.wire.createReplyParser(settings.maxReply);
    settings.deadlines.add(this);
    this.#connect();
  }

  /** Replies that are waited for. */
  get inFlight(): number {
    return this.#tail - this.#head;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Bytes of commands that wait to be sent. */
  get unsentBytes(): number {
    return this.#filled - this.#flushed + (this.#socket?.writableLength ?? 0);
  }

  /** Bytes of commands that are waited for, sent or not. */
  get unansweredBytes(): number {
    return this.inFlight === 0 ? 0 : this.requestBytes - this.#sent[this.#head & (this.#waiting.length - 1)]!;
  }

  /** Sends bytes from `start` to `end` as one command. */
  send(recipient: Recipient, part: number, bytes: Buffer, start: number, end: number): void {
    if (this.#downReply !== undefined) {
      this.#settings.onFailure("down");
      recipient.take(part, this.#downReply, 0, this.#downReply.length);
      return;
    }
    this.#push(recipient, part);
    this.requests++;
    this.requestBytes += end - start;
    this.#write(bytes, start, end);
    this.#settings.turn.queue(this);
  }

  /** Sends a command that has a reply or none, as the shard decides; the recipient gets an empty one then. */
  sendQuiet(recipient: Recipient, bytes: Buffer, start: number, end: number): void {
    const isDown = this.#downReply !== undefined;
    this.send(recipient, 0, bytes, start, end);
    if (isDown) return;
    this.#push(fence, 0);
    this.#write(ASK_FENCE, 0, ASK_FENCE.length);
  }

  flush(): void {
    if (this.#filled === this.#flushed || this.#socket === undefined) return;
    this.#socket.write(this.#out.subarray(this.#flushed, this.#filled));
    // Without a rest the bytes are with the kernel, and their place is free.
    if (this.#socket.writableLength === 0) this.#filled = 0;
    this.#flushed = this.#filled;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#settings.deadlines.delete(this);
    this.#socket?.destroy();
  }

  onDeadline(): void {
    this.#disconnect(this.#isConnected ? "timeout" : "connect_timeout");
  }

  #push(recipient: Recipient, part: number): void {
    if (this.#tail - this.#head === this.#waiting.length) this.#grow();
    const { now } = this.#settings.turn;
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
      if (this.#isConnected) this.deadline = now + this.#settings.timeout;
    }
    const at = this.#tail++ & (this.#waiting.length - 1);
    this.#waiting[at] = recipient;
    this.#parts[at] = part;
    this.#since[at] = now;
    this.#sent[at] = this.requestBytes;
  }

  #grow(): void {
    const size = this.#waiting.length;
    const order = Array.from({ length: size }, (_, i) => (this.#head + i) & (size - 1));
    this.#waiting = [...order.map((at) => this.#waiting[at]), ...Array.from({ length: size }, () => undefined)];
    const parts = new Uint32Array(size * 2);
    parts.set(order.map((at) => this.#parts[at]!));
    const since = new Float64Array(size * 2);
    since.set(order.map((at) => this.#since[at]!));
    const sent = new Float64Array(size * 2);
    sent.set(order.map((at) => this.#sent[at]!));
    this.#parts = parts;
    this.#since = since;
    this.#sent = sent;
    this.#head = 0;
    this.#tail = size;
  }

  #write(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length >= LARGE) {
      this.flush();
      this.#socket!.write(bytes.subarray(start, end));
      return;
    }
    if (this.#filled + length > OUT_SIZE) {
      this.flush();
      if (this.#filled + length > OUT_SIZE) {
        this.#out = Buffer.allocUnsafeSlow(OUT_SIZE);
        this.#filled = 0;
        this.#flushed = 0;
      }
    }
    bytes.copy(this.#out, this.#filled, start, end);
    this.#filled += length;
  }

  #connect(): void {
    const { address, tls, connectTimeout, greeting } = this.#settings;
    const { socket, ready } = dial(address, tls);
    this.#socket = socket;
    this.#isConnected = false;
    this.deadline = performance.now() + connectTimeout;
    let reason: string | undefined;
    socket.on(ready, () => {
      if (greeting.length === 0) this.#onReady();
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
    socket.on("close", () => {
      if (this.#socket === socket) this.#lost(this.#isConnected ? "lost" : "connect_failed", reason);
    });
    this.#ungreeted = greeting.length;
    for (const command of greeting) {
      this.#push(nobody, 0);
      this.#write(command, 0, command.length);
      this.#settings.turn.queue(this);
    }
  }

  /** Connected, and greeted. */
  #onReady(): void {
    this.#isConnected = true;
    this.#connectedAt = performance.now();
    this.#failures = 0;
    this.#downReply = undefined;
    this.deadline = this.inFlight > 0 ? performance.now() + this.#settings.timeout : 0;
    this.#settings.onState(true, "connected");
  }

  #read(chunk: Buffer): void {
    const { turn, timeout } = this.#settings;
    turn.now = performance.now();
    let at = 0;
    while (at < chunk.length) {
      const start = at;
      at = this.#parser.read(chunk, at);
      if (this.#parser.problem !== undefined) return this.#disconnect("bad_reply");
      if (!this.#parser.complete) {
        this.#pieces.push(start === 0 ? chunk : chunk.subarray(start));
        break;
      }
      if (this.#pieces.length === 0) this.#deliver(chunk, start, at);
      else {
        this.#pieces.push(chunk.subarray(start, at));
        const whole = Buffer.concat(this.#pieces);
        this.#pieces = [];
        this.#deliver(whole, 0, whole.length);
      }
      if (this.#socket === undefined) return;
    }
    if (this.#isConnected) this.deadline = this.inFlight > 0 ? turn.now + timeout : 0;
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    const { onAside } = this.#settings;
    if (onAside?.(bytes, start, end) === true) return;
    // What nobody has asked for.
    if (this.#parser.type === PUSH && onAside === undefined) return;
    if (this.#head === this.#tail) return this.#disconnect("bad_reply");
    const at = this.#head++ & (this.#waiting.length - 1);
    const recipient = this.#waiting[at]!;
    this.#waiting[at] = undefined;
    if (recipient === nobody) return this.#onGreeted(bytes, start, end);
    if (recipient === fence) return;
    this.responses++;
    this.responseBytes += end - start;
    this.#settings.onReply((this.#settings.turn.now - this.#since[at]!) / 1000);
    recipient.take(this.#parts[at]!, bytes, this.#passesFence(bytes, start, end) ? end : start, end);
  }

  /** Whether a reply is that to the fence, so that the quiet command before it has none. */
  #passesFence(bytes: Buffer, start: number, end: number): boolean {
    const next = this.#head & (this.#waiting.length - 1);
    if (this.#head === this.#tail || this.#waiting[next] !== fence) return false;
    if (!bytes.subarray(start, end).equals(FENCE)) return false;
    this.#waiting[next] = undefined;
    this.#head++;
    return true;
  }

  #onGreeted(bytes: Buffer, start: number, end: number): void {
    if (this.#settings.wire.isError(bytes, start)) {
      return this.#disconnect("refused", bytes.toString("latin1", start, end).trim().replace(/^-/, ""));
    }
    this.#ungreeted--;
    if (this.#ungreeted === 0) this.#onReady();
  }

  /** Gives the connection up, and tells all who wait. */
  #disconnect(reason: ShardFailure, detail?: string): void {
    const socket = this.#socket;
    this.#lost(reason, detail);
    socket?.destroy();
  }

  #lost(reason: ShardFailure, detail: string | undefined): void {
    const wasConnected = this.#isConnected;
    this.#socket = undefined;
    this.#isConnected = false;
    this.deadline = 0;
    this.#parser = this.#settings.wire.createReplyParser(this.#settings.maxReply);
    this.#pieces = [];
    this.#out = Buffer.allocUnsafeSlow(OUT_SIZE);
    this.#filled = 0;
    this.#flushed = 0;
    if (this.#isClosed) return;
    this.#settings.onLost(reason);
    const why = `${WORDS[reason]}${detail === undefined ? "" : ` (${detail})`}`;
    // An idle connection that the shard has closed is opened again at once, before anyone calls the shard down.
    const lasted = performance.now() - this.#connectedAt;
    const isHealthy = wasConnected && reason === "lost" && lasted > HEALTHY_MS;
    if (!isHealthy) {
      this.#failures++;
      this.#downReply = this.#settings.wire.error(`shard ${this.#settings.name} ${why}`);
      this.#settings.onState(false, why);
    }
    this.#failAll(reason, this.#settings.wire.error(`shard ${this.#settings.name} ${why}`));
    this.#retryLater(isHealthy);
  }

  #failAll(reason: ShardFailure, error: Buffer): void {
    while (this.#head < this.#tail) {
      const at = this.#head++ & (this.#waiting.length - 1);
      const recipient = this.#waiting[at]!;
      this.#waiting[at] = undefined;
      if (recipient === nobody || recipient === fence) continue;
      this.#settings.onFailure(reason);
      recipient.take(this.#parts[at]!, error, 0, error.length);
    }
  }

  #retryLater(atOnce: boolean): void {
    if (this.#isClosed) return undefined;
    if (atOnce) return this.#connect();
    const backoff = Math.min(MIN_BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 20), this.#settings.maxBackoff);
    // Not all at the same time.
    const wait = backoff * (0.75 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#connect(), wait).unref();
  }
}
