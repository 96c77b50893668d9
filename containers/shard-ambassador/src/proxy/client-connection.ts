// One client: reads its commands as long as there is room for them, hands each to the shard that owns its keys, and sends
// the replies in the order of the commands.
import type { Socket } from "node:net";

import type { Deadlines, Timed } from "@outrigger/http";

import type { Budget, Waiter } from "./budget.ts";
import type { Session, Special } from "./dispatching.ts";
import type { ReplyWriter } from "./reply-writer.ts";
import { Slot } from "./slot.ts";
import type { SlotOwner } from "./slot.ts";
import type { Flushable, Turn } from "./turn.ts";
import type { Wire } from "./wire.ts";

/** Why the ambassador has closed a client's connection. */
export const CLOSE_REASONS = ["protocol_error", "timeout", "memory"] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Cuts a client's bytes into commands. */
export type RequestReader = {
  readonly complete: boolean;
  readonly problem: string | undefined;
  readonly start: number;
  readonly end: number;
  /** Bytes of an incomplete command that are kept. */
  readonly held: number;
  read(chunk: Buffer, at: number): number;
  release(): void;
};

/** What all clients share. */
export type ClientSettings<Request extends RequestReader> = {
  readonly turn: Turn;
  readonly deadlines: Deadlines;
  readonly budget: Budget;
  readonly writer: ReplyWriter;
  readonly wire: Wire;
  createParser(): Request;
  /** How long a client may take for one command, and to take its replies. */
  readonly timeout: number;
  /** Gives the command that was read last to whoever answers it; the reply goes to the slot. */
  dispatch(request: Request, slot: Slot, session: Session): void;
  onClosedByUs(reason: CloseReason): void;
  onClose(client: ClientConnection<Request>, hasFailed: boolean): void;
};

/** Commands of one client that may be under way at a time; more are not read. A power of two. */
const MAX_PIPELINE = 1024;
/** What a command under way takes besides its bytes. */
const OVERHEAD = 128;
/** No more is sent to a client that has so many bytes to take. */
const MAX_UNSENT = 1024 * 1024;
/** How long a client may take to close its side after we have closed ours. */
const LINGER_MS = 1000;

export class ClientConnection<Request extends RequestReader> implements Flushable, Timed, Waiter, SlotOwner, Session {
  isQueued = false;
  deadline = 0;
  readonly id: number;
  protocol: 2 | 3 = 2;
  name = "";
  isAuthenticated = false;
  special: Special | undefined;

  readonly #socket: Socket;
  readonly #settings: ClientSettings<Request>;
  readonly #parser: Request;
  readonly #slots: Slot[] = [];
  #head = 0;
  #tail = 0;
  /** A chunk that has not been read to its end. */
  #rest: Buffer | undefined;
  #at = 0;
  #charged = 0;
  /** Bytes that the system has not taken from us yet, as charged. */
  #unsent = 0;
  /** What else the client sends is of no interest; when all replies are sent, the connection ends. */
  #isEnding = false;
  /** The connection ends as soon as all commands that have been begun are answered. */
  #isDraining = false;
  /** The client sends no more. */
  #peerHasEnded = false;
  #hasEnded = false;
  #isClosed = false;
  /** What is sent besides replies. */
  #pushed: Buffer[] = [];

  constructor(id: number, socket: Socket, settings: ClientSettings<Request>) {
    this.id = id;
    this.#socket = socket;
    this.#settings = settings;
    this.#parser = settings.createParser();
    settings.deadlines.add(this);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => settings.turn.queue(this));
    socket.on("end", () => {
      this.#peerHasEnded = true;
      settings.turn.queue(this);
    });
    socket.on("error", () => undefined);
    socket.on("close", (hasFailed: boolean) => this.#onClose(hasFailed));
  }

  /** Answers what the client has begun to send, and then ends the connection. */
  drain(): void {
    this.#isDraining = true;
    this.#settings.turn.queue(this);
  }

  quit(): void {
    this.#isEnding = true;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  hold(bytes: number): void {
    if (!this.#isClosed) this.#charge(bytes);
  }

  push(bytes: Buffer): void {
    this.hold(bytes.length);
    this.#pushed.push(bytes);
    this.#settings.turn.queue(this);
  }

  resume(): void {
    this.#settings.turn.queue(this);
  }

  onDeadline(): void {
    if (!this.#hasEnded) this.#settings.onClosedByUs("timeout");
    this.destroy();
  }

  onBytes(slot: Slot, bytes: number): void {
    if (this.#isClosed) return;
    slot.charge += bytes;
    this.#charge(bytes);
    if (slot.isReady) this.#settings.turn.queue(this);
  }

  flush(): void {
    if (this.#isClosed) return;
    this.#sendReplies();
    if (this.#pushed.length > 0) this.#sendPushed();
    const unsent = this.#socket.writableLength;
    this.#charge(unsent - this.#unsent);
    this.#unsent = unsent;
    if (unsent > MAX_UNSENT && this.#settings.budget.isFull()) {
      this.#settings.onClosedByUs("memory");
      this.destroy();
      return;
    }
    if (this.#rest !== undefined) this.#readCommands();
    this.#watchTime(unsent);
    if (!this.#hasEnded && this.#isDone()) this.#finish();
  }

  #isDone(): boolean {
    if (this.#head !== this.#tail) return false;
    if (this.#isEnding) return true;
    if (this.#rest !== undefined) return false;
    return this.#peerHasEnded || (this.#isDraining && this.#parser.held === 0);
  }

  #onData(chunk: Buffer): void {
    // After the end, what still comes is read so that the client gets to see its last replies.
    if (this.#isEnding || this.#hasEnded) return;
    this.#settings.turn.now = performance.now();
    this.#rest = chunk;
    this.#at = 0;
    this.#readCommands();
    this.#watchTime(this.#socket.writableLength);
  }

  #hasRoom(): boolean {
    if (this.#tail - this.#head >= MAX_PIPELINE) return false;
    if (this.#settings.budget.isFull()) {
      this.#settings.budget.wait(this);
      return false;
    }
    return this.#socket.writableLength <= MAX_UNSENT;
  }

  #readCommands(): void {
    const chunk = this.#rest!;
    const parser = this.#parser;
    const heldBefore = parser.held;
    while (this.#at < chunk.length && !this.#isEnding) {
      if (!this.#hasRoom()) {
        this.#charge(parser.held - heldBefore);
        this.#socket.pause();
        return;
      }
      this.#at = parser.read(chunk, this.#at);
      if (parser.problem !== undefined) this.#refuse(parser.problem);
      else if (parser.complete) this.#dispatch();
    }
    this.#charge(parser.held - heldBefore);
    this.#rest = undefined;
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #dispatch(): void {
    const parser = this.#parser;
    this.deadline = 0;
    const slot = this.#nextSlot();
    slot.charge = parser.end - parser.start + OVERHEAD;
    this.#charge(slot.charge);
    this.#settings.dispatch(parser, slot, this);
    parser.release();
  }

  #refuse(problem: string): void {
    this.#settings.onClosedByUs("protocol_error");
    this.#isEnding = true;
    const slot = this.#nextSlot();
    slot.answer(this.#settings.wire.protocolError(problem));
  }

  #nextSlot(): Slot {
    const at = this.#tail++ & (MAX_PIPELINE - 1);
    const existing = this.#slots[at];
    if (existing !== undefined) return existing;
    const fresh = new Slot(this);
    this.#slots[at] = fresh;
    return fresh;
  }

  #sendReplies(): void {
    const { writer, budget } = this.#settings;
    const socket = this.#socket;
    let charge = 0;
    while (this.#head < this.#tail && socket.writableLength <= MAX_UNSENT) {
      const slot = this.#slots[this.#head & (MAX_PIPELINE - 1)]!;
      if (!slot.isReady) break;
      writer.write(socket, slot.bytes, slot.start, slot.end);
      charge += slot.charge;
      slot.reset();
      this.#head++;
    }
    writer.end(socket);
    for (let i = this.#head; i < this.#tail; i++) this.#slots[i & (MAX_PIPELINE - 1)]!.keep();
    // A client without anything under way begins with its first slot again, so that few are ever made.
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
    }
    this.#charged -= charge;
    budget.release(charge);
  }

  #sendPushed(): void {
    for (const bytes of this.#pushed) {
      this.#socket.write(bytes);
      this.#charge(-bytes.length);
    }
    this.#pushed = [];
  }

  #charge(bytes: number): void {
    this.#charged += bytes;
    if (bytes >= 0) this.#settings.budget.add(bytes);
    else this.#settings.budget.release(-bytes);
  }

  /** Time runs while a command is incomplete, and while the client does not take its replies. */
  #watchTime(unsent: number): void {
    if (this.#hasEnded) return;
    if (this.#parser.held === 0 && unsent === 0) this.deadline = 0;
    else if (this.deadline === 0) this.deadline = performance.now() + this.#settings.timeout;
  }

  #finish(): void {
    this.#hasEnded = true;
    this.#rest = undefined;
    this.#socket.resume();
    this.#socket.end();
    const time = this.#socket.writableLength > 0 ? this.#settings.timeout : LINGER_MS;
    this.deadline = performance.now() + time;
  }

  #onClose(hasFailed: boolean): void {
    this.special?.close();
    this.#isClosed = true;
    this.#settings.budget.forget(this);
    this.#settings.budget.release(this.#charged);
    this.#settings.deadlines.delete(this);
    this.#settings.onClose(this, hasFailed);
  }
}
