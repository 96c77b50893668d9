// One request in HTTP/2 that is carried to an application which speaks HTTP/2 itself, in plain text: heads are judged and
// rewritten as those of HTTP/1.1 are, data and trailers pass as they are, in both directions at once.
import { trailerLines } from "../body-decoder.ts";
import { BodyWatch } from "../body-watch.ts";
import type { Timed } from "../deadlines.ts";
import { REFUSED } from "../field-section.ts";
import { StuckBytes } from "../flight.ts";
import type { ForwardingLines } from "../forwarding.ts";
import { hostOf } from "../head-parser.ts";
import type { HeadParser } from "../head-parser.ts";
import type { Peer } from "../peer.ts";
import type { Answer, ProxyCore, Served } from "../proxy.ts";
import type { Refusal } from "../refusals.ts";
import { REFUSALS, UPSTREAM_FAILURES } from "../refusals.ts";
import { checkRequest, writeRequestHead } from "../request-head.ts";
import { answerHead, responseFraming, startResponseHead } from "../response-head.ts";
import { Upstream } from "../upstream.ts";
import type { Field } from "./field.ts";
import { ERROR } from "./frames.ts";
import type { ErrorCode } from "./frames.ts";
import type { Http2Stream, StreamUser } from "./h2-stream.ts";
import type { HpackEncoder } from "./hpack-encoder.ts";
import { STATIC_INDEX } from "./hpack-encoder.ts";
import { requestTextOf, responseTextOf, trailerTextOf } from "./message-text.ts";
import { encodeFields, encodeLines } from "./response-encoder.ts";

/** What the exchanges of one client's connection share. */
export type BridgeSettings = {
  readonly core: ProxyCore;
  readonly peer: Peer;
  readonly forwarding: ForwardingLines;
  /** Reads heads that we have written ourselves. */
  readonly head: HeadParser;
  readonly toClient: HpackEncoder;
  /** Opens a stream to the application; undefined when it takes no more at present. */
  open(user: (stream: Http2Stream) => StreamUser): UpstreamStream | undefined;
};

/** A stream to the application. */
export type UpstreamStream = {
  readonly stream: Http2Stream;
  readonly encoder: HpackEncoder;
  /** Why its connection has ended. */
  failure(): Refusal;
};

const GRPC = /^application\/grpc\b/i;

export class H2cExchange implements StreamUser, Timed, Served {
  readonly #settings: BridgeSettings;
  readonly #core: ProxyCore;
  readonly client: { readonly peer: Peer };
  #downstream: Http2Stream;
  #upstream: Http2Stream | undefined;
  #link: UpstreamStream | undefined;
  /** Data that the other side has not taken yet. */
  #owedToClient = 0;
  #owedToUpstream = 0;
  #isHead = false;
  #streaming = false;
  #over = false;
  readonly #bodyWatch: BodyWatch;
  readonly #stuck: StuckBytes;
  /** When something else than the rate of the body has to be looked at. */
  #patienceEnds = 0;
  deadline = 0;
  requestLine = "";
  host = "";
  status = 0;
  complete = false;
  startedAt = performance.now();

  constructor(settings: BridgeSettings, downstream: Http2Stream) {
    this.#settings = settings;
    this.#core = settings.core;
    this.client = { peer: settings.peer };
    this.#downstream = downstream;
    this.#bodyWatch = new BodyWatch(settings.core.bodies);
    this.#stuck = new StuckBytes(settings.core.flight);
    this.#core.deadlines.add(this);
  }

  /** Nothing has moved for too long, or no answer has come. */
  onDeadline(): void {
    if (performance.now() < this.#patienceEnds) {
      if (this.#bodyWatch.isSlow(this.#owedToClient > 0)) this.#refuse(REFUSALS.bodyTooSlow);
      else this.#setDeadline();
    } else if (this.status !== 0) this.#breakOff(ERROR.cancel);
    else if (this.#downstream.remoteEnded) this.#fail(UPSTREAM_FAILURES.responseTimeout);
    else this.#answer(REFUSALS.bodyTimeout);
  }

  onHeaders(fields: readonly Field[] | undefined, end: boolean): void {
    if (this.#upstream !== undefined) this.#onTrailers(fields);
    else if (fields === undefined) this.#answer(REFUSALS.headTooLarge);
    else this.#onRequest(fields, end);
  }

  onData(bytes: Buffer, end: boolean): void {
    if (!this.#bodyWatch.take(bytes.length)) return this.#refuse(REFUSALS.bodyTooLarge);
    if (this.#upstream?.sendData(bytes, end) === false) this.#owedToClient += bytes.length;
    else this.#downstream.consumed(bytes.length);
    this.#account();
    return this.#progress();
  }

  /** The client has gone, or has broken off the request. */
  onReset(): void {
    if (this.#over) return;
    this.#upstream?.reset(ERROR.cancel);
    this.#end();
    this.#core.observer.onAborted(this);
  }

  /** The client has room for more of the response. */
  onDrain(): void {
    this.#upstream?.consumed(this.#owedToUpstream);
    this.#owedToUpstream = 0;
    this.#account();
    this.#progress();
  }

  #onRequest(fields: readonly Field[], end: boolean): void {
    const { core, peer, forwarding } = this.#settings;
    const request = requestTextOf(fields, end);
    if (request === undefined) {
      this.#end();
      core.observer.onRefused(REFUSALS.malformedMessage, peer, undefined);
      this.#downstream.reset(ERROR.protocol);
      return;
    }
    const head = core.requestParser;
    if (head.parseRequest(Buffer.from(request.head, "latin1"), 0) === REFUSED) return this.#answer(head.refusal);
    this.#downstream.expected = request.length;
    this.#isHead = request.isHead;
    this.host = hostOf(head);
    this.requestLine = `${head.method} ${head.target}`;
    this.#streaming = GRPC.test(head.find("content-type") ?? "");
    if (!this.#bodyWatch.begin(request.length)) return this.#answer(REFUSALS.bodyTooLarge);
    if (core.flight.full) return this.#answer(REFUSALS.overloaded);
    const expects = head.expect !== -1;
    const target = checkRequest(head);
    if (typeof target !== "string") return this.#answer(target);
    const chosen = core.route(head, peer) ?? REFUSALS.noUpstream;
    if (!(chosen instanceof Upstream)) return this.#answer(chosen);
    const rewritten = writeRequestHead(core.writer, head, {
      rule: core.requestFields,
      target,
      upgrade: "",
      forwarding,
    });
    this.#pass(rewritten, end, expects);
    return undefined;
  }

  /** Opens the application's side with a head that has been rewritten. */
  #pass(bytes: Buffer, end: boolean, expects: boolean): void {
    const { head, open, toClient } = this.#settings;
    const link = open((opened) => this.#upstreamUser(opened));
    if (link === undefined) {
      this.#end();
      this.#downstream.reset(ERROR.refusedStream);
      return;
    }
    const { stream } = link;
    this.#link = link;
    this.#upstream = stream;
    head.parseRequest(bytes, 0);
    const block = link.encoder.begin().field(STATIC_INDEX.method, head.method).field(STATIC_INDEX.scheme, "http");
    block.field(STATIC_INDEX.path, head.target).field(STATIC_INDEX.authority, hostOf(head));
    stream.sendHeaders(encodeFields(block, head, { request: true }).take(), end);
    if (expects && !end) this.#downstream.sendHeaders(toClient.begin().status(100).take(), false);
    this.#progress();
  }

  #onTrailers(fields: readonly Field[] | undefined): void {
    const lines = fields === undefined ? undefined : trailerTextOf(fields);
    const parser = this.#core.trailerParser;
    if (lines === undefined || parser.parseFields(Buffer.from(`${lines}\r\n`, "latin1"), 0) === REFUSED) {
      this.#downstream.reset(ERROR.protocol);
      this.onReset();
    } else this.#upstream!.sendTrailers(encodeLines(this.#link!.encoder.begin(), trailerLines(parser)).take());
    this.#progress();
  }

  #upstreamUser(stream: Http2Stream): StreamUser {
    return {
      onHeaders: (fields, end) => this.#onAnswer(stream, fields, end),
      onData: (bytes, end) => {
        if (this.#downstream.sendData(this.#isHead ? undefined : bytes, end)) stream.consumed(bytes.length);
        else this.#owedToUpstream += bytes.length;
        this.#account();
        this.#progress();
        if (end) this.#finish();
      },
      onReset: (code) => this.#onUpstreamReset(code),
      onDrain: () => {
        this.#downstream.consumed(this.#owedToClient);
        this.#owedToClient = 0;
        this.#account();
        this.#progress();
      },
    };
  }

  /** A header section of the application's: an interim response, the head of the response, or its trailers. */
  #onAnswer(stream: Http2Stream, fields: readonly Field[] | undefined, end: boolean): void {
    const { head, toClient, core } = this.#settings;
    if (this.status >= 200) return this.#onAnswerTrailers(stream, fields, end);
    const text = fields === undefined ? undefined : responseTextOf(fields);
    const parser = core.responseParser;
    if (text === undefined || parser.parseResponse(Buffer.from(text, "latin1"), 0) <= 0) return this.#badAnswer(stream);
    const { status } = parser;
    if (status === 101 || (status < 200 && end)) return this.#badAnswer(stream);
    const lines = status < 200 ? "\r\n" : responseFraming(parser, false) + core.response.endOfHead;
    head.parseResponse(startResponseHead(core.writer, parser, core.response, this.host).text(lines).take(), 0);
    this.#downstream.sendHeaders(encodeFields(toClient.begin().status(status), head).take(), end);
    if (status >= 200) this.status = status;
    this.#progress();
    return end ? this.#finish() : undefined;
  }

  #onAnswerTrailers(stream: Http2Stream, fields: readonly Field[] | undefined, end: boolean): void {
    const lines = fields === undefined ? undefined : trailerTextOf(fields);
    if (lines === undefined || !end) return this.#badAnswer(stream);
    this.#downstream.sendTrailers(encodeLines(this.#settings.toClient.begin(), lines).take());
    return this.#finish();
  }

  #badAnswer(stream: Http2Stream): void {
    stream.reset(ERROR.protocol);
    this.#upstream = undefined;
    if (this.status === 0) this.#fail(UPSTREAM_FAILURES.badResponse);
    else this.#breakOff(ERROR.internal, UPSTREAM_FAILURES.badResponse);
  }

  /** The application has broken off the stream, or its connection has ended. */
  #onUpstreamReset(code: ErrorCode): void {
    this.#upstream = undefined;
    if (this.#over) return;
    // It has not begun; whoever sent it may send it again (RFC 9113 section 8.7).
    if (code === ERROR.refusedStream && this.status === 0) this.#breakOff(code);
    else if (this.status === 0) this.#fail(this.#link!.failure());
    else this.#breakOff(code === ERROR.none ? ERROR.internal : code, UPSTREAM_FAILURES.truncated);
  }

  /** The next deadline, from what is to happen next. */
  #progress(): void {
    if (this.#over) return;
    const { timeouts } = this.#core;
    const waits = this.#downstream.remoteEnded && this.status === 0;
    // A call may go on for as long as both sides like, also when neither has anything to say for a while.
    const patience = this.#streaming ? timeouts.tunnelMs : waits ? timeouts.responseMs : timeouts.idleMs;
    this.#patienceEnds = performance.now() + patience;
    this.#setDeadline();
  }

  #setDeadline(): void {
    const rated = this.#downstream.remoteEnded || this.#streaming ? Infinity : this.#bodyWatch.deadline;
    this.deadline = Math.min(this.#patienceEnds, rated);
  }

  /** What waits here for one side or the other. */
  #account(): void {
    if (!this.#over) this.#stuck.set(this.#owedToClient + this.#owedToUpstream);
  }

  #refuse(refusal: Refusal): void {
    if (this.status === 0) this.#answer(refusal);
    else this.#breakOff(ERROR.cancel);
  }

  #finish(): void {
    if (this.#over) return;
    this.complete = true;
    this.#end();
    this.#downstream.user = undefined;
    if (!this.#downstream.remoteEnded) this.#downstream.abandon();
    if (this.#upstream?.localEnded === false) this.#upstream.reset(ERROR.none);
    this.#core.observer.onResponse(this);
  }

  #fail(failure: Refusal): void {
    this.#core.observer.onUpstreamFailure(failure);
    this.#answer(failure);
  }

  /** Answers in the application's place. */
  #answer(answer: Refusal | Answer): void {
    const { core, head, toClient, peer } = this.#settings;
    this.#upstream?.reset(ERROR.cancel);
    const refusal = "reason" in answer ? answer : undefined;
    const text =
      refusal === undefined ? (answer as Answer).body : `${refusal.status} ${refusal.reason}: ${refusal.text}\n`;
    const lines = refusal === undefined ? (answer as Answer).lines : "Content-Type: text/plain\r\n";
    head.parseResponse(
      Buffer.from(answerHead({ status: answer.status, lines, body: text }, core.response.endOfHead), "latin1"),
      0,
    );
    this.#downstream.sendHeaders(encodeFields(toClient.begin().status(answer.status), head).take(), this.#isHead);
    if (!this.#isHead) this.#downstream.sendData(Buffer.from(text, "latin1"), true);
    this.#end();
    this.#downstream.user = undefined;
    if (!this.#downstream.remoteEnded) this.#downstream.abandon();
    this.status = answer.status;
    this.complete = true;
    if (refusal === undefined) core.observer.onResponse(this);
    else core.observer.onRefused(refusal, peer, this);
  }

  /** Part of a response has been sent: the client is told that there is no more. */
  #breakOff(code: ErrorCode, failure?: Refusal): void {
    this.#upstream?.reset(ERROR.cancel);
    this.#end();
    this.#downstream.reset(code);
    if (failure !== undefined) this.#core.observer.onUpstreamFailure(failure);
    this.#core.observer.onResponse(this);
  }

  #end(): void {
    this.#over = true;
    this.#stuck.set(0);
    this.#core.deadlines.delete(this);
  }
}
