// One request and its response. A connection has one exchange and uses it for one request after another, so that
// serving a request makes no objects but the buffers that are sent.
import { BODY, BodyDecoder } from "./body-decoder.ts";
import type { ClientConnection } from "./client-connection.ts";
import { ExchangeFacts } from "./exchange-facts.ts";
import { INCOMPLETE, REFUSED } from "./field-section.ts";
import { StuckBytes } from "./flight.ts";
import type { HeadParser } from "./head-parser.ts";
import { framedData } from "./message-writer.ts";
import type { MessageWriter } from "./message-writer.ts";
import { patienceOf } from "./patience.ts";
import type { Answer, ProxyCore } from "./proxy.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS, UPSTREAM_FAILURES } from "./refusals.ts";
import { Replay } from "./replay.ts";
import { RequestBody } from "./request-body.ts";
import { checkRequest, upgradeOf, writeRequestHead } from "./request-head.ts";
import {
  answerHead,
  connectionLine,
  framingOf,
  responseFraming,
  startResponseHead,
  staysOpen,
} from "./response-head.ts";
import { kept } from "./socket-reader.ts";
import { CRLF, NO_BYTES } from "./syntax.ts";
import type { Borrower, UpstreamConnection } from "./upstream.ts";
import { Upstream } from "./upstream.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export class Exchange extends ExchangeFacts implements Borrower {
  readonly client: ClientConnection;
  readonly #core: ProxyCore;

  #connection: UpstreamConnection | undefined;
  #requestHead: Buffer | undefined;
  readonly #requestBody: RequestBody;
  readonly #responseBody: BodyDecoder;
  #upgrade = "";
  /** When something else than the rate of the body has to be looked at. */
  #patienceEnds = 0;
  #isHttp10 = false;
  #keepClient = false;
  #keepUpstream = false;
  readonly #replay = new Replay();
  #expectsContinue = false;
  #chunkedOut = false;
  /** Only the end of the client's connection tells the end of the response. */
  #endsWithClose = false;
  /** What of the request waits for the application, as the whole process counts it. */
  readonly #stuck: StuckBytes;
  /** A response head of which not all has arrived. */
  #partialHead: Buffer | undefined;

  constructor(client: ClientConnection) {
    super();
    this.client = client;
    this.#core = client.core;
    this.#requestBody = new RequestBody(client.core.trailerParser, client.core.bodies);
    this.#responseBody = new BodyDecoder(client.core.trailerParser);
    this.#stuck = new StuckBytes(client.core.flight);
  }

  /** Takes on the request whose head has just been parsed: chooses its upstream and passes the head on. */
  begin(head: HeadParser): void {
    this.#reset(head);
    const target = checkRequest(head);
    if (typeof target !== "string") return this.#refuse(target);
    if (this.#requestBody.problem !== undefined) return this.#refuse(this.#requestBody.problem);
    const upstream = this.#core.route(head, this.client.peer) ?? REFUSALS.noUpstream;
    if (!(upstream instanceof Upstream)) return this.#answerWith(upstream);
    this.upstream = upstream;
    this.#upgrade = upgradeOf(head);
    const { writer, requestFields: rule } = this.#core;
    const { forwarding } = this.client;
    this.#requestHead = writeRequestHead(writer, head, { rule, target, upgrade: this.#upgrade, forwarding });
    this.#send(upstream.lend(this, { replayable: this.#replay.isSafe }));
    this.#progress();
    return undefined;
  }

  /** Passes on body bytes; gives the offset behind the body's part. */
  takeBody(bytes: Buffer, from: number): number {
    const body = this.#requestBody;
    const end = body.take(bytes, from);
    if (body.problem !== undefined) {
      this.#refuseBody(body.problem);
      return end;
    }
    const data = body.dataOf(bytes, this.#core.writer);
    if (data !== undefined && this.#connection?.socket.write(data) === false && !body.done) this.#holdClient();
    this.requestDone = body.done;
    this.#progress();
    return end;
  }

  /** The client is told, unless it has had part of a response already. */
  #refuseBody(refusal: Refusal): void {
    if (this.status === 0) this.#refuse(refusal);
    else this.#breakOff();
  }

  takeTunnelled(bytes: Buffer): void {
    if (this.#connection?.socket.write(bytes) === false) this.#holdClient();
    this.#progress();
  }

  onClientDrain(): void {
    this.#connection?.socket.resume();
    this.#progress();
  }

  /** The client sends no more: a request is given up, a tunnel is ended in order. */
  onClientEnd(): void {
    if (this.tunnel) this.#connection?.socket.end();
    else this.onClientGone();
  }

  onClientGone(): void {
    if (!this.active) return;
    // What a tunnel's client has sent is the application's, even if the client did not wait for it to arrive.
    if (this.tunnel) this.#connection?.finish(this.#core.timeouts.closeMs);
    else this.#connection?.discard();
    this.#release();
    if (!this.tunnel) this.#core.observer.onAborted(this);
  }

  /** Nothing has moved for too long, or no answer has come. */
  onDeadline(): void {
    if (!this.requestDone && !this.tunnel && performance.now() < this.#patienceEnds) {
      // Only the rate of the body was to be looked at.
      if (this.#requestBody.isSlow(this.client.paused)) this.#refuseBody(REFUSALS.bodyTooSlow);
      else this.client.expectBy(Math.min(this.#patienceEnds, this.#requestBody.deadline));
    } else if (this.tunnel || this.status !== 0) this.#breakOff();
    else if (this.requestDone || this.client.paused) this.#failOver(UPSTREAM_FAILURES.responseTimeout, true);
    else this.#refuse(REFUSALS.bodyTimeout);
  }

  onUpstreamConnect(): void {
    if (this.#expectsContinue && this.status === 0) this.client.write(CONTINUE);
    this.#expectsContinue = false;
  }

  onUpstreamDrain(): void {
    this.#stuck.set(0);
    this.client.resume();
    this.#progress();
  }

  onUpstreamData(connection: UpstreamConnection, bytes: Buffer): void {
    if (this.tunnel) this.#toClient(kept(bytes), true);
    else if (this.status === 0) this.#takeHead(bytes);
    else this.#takeResponse(bytes);
    if (this.#connection === connection) this.#progress();
  }

  onUpstreamEnd(connection: UpstreamConnection): void {
    if (this.tunnel) this.client.end();
    else if (this.status !== 0 && this.#responseBody.framing === BODY.untilClose) {
      this.#responseBody.endByClose();
      if (this.#chunkedOut) this.client.write(this.#core.writer.begin().takeWith(this.#responseBody, NO_BYTES, true));
      this.#finish();
    } else connection.destroy();
  }

  onUpstreamClose(connection: UpstreamConnection, failure: Refusal): void {
    this.#connection = undefined;
    if (this.tunnel) this.client.end();
    else if (this.status !== 0) this.#breakOff(UPSTREAM_FAILURES.truncated);
    else if (connection.reused && this.#replay.isSafe && this.requestDone) {
      // The server ended a kept connection just as we used it: one more try, on a new one, which is never `reused`.
      this.#send(this.upstream!.lendNew(this));
    } else this.#failOver(failure, connection.connected);
  }

  #reset(head: HeadParser): void {
    const { recordRequests, response } = this.#core;
    this.note(head, { line: recordRequests, host: recordRequests || response.rewrites !== undefined });
    this.#requestBody.begin(head);
    this.requestDone = this.#requestBody.done;
    this.#isHttp10 = head.minor === 0;
    this.#keepClient = !head.close && (head.keepAlive || !this.#isHttp10);
    this.#keepUpstream = false;
    this.#replay.begin(this.requestDone, head.method);
    this.#expectsContinue = head.expect !== -1 && !this.#isHttp10 && !this.requestDone;
    this.#chunkedOut = false;
    this.#endsWithClose = false;
  }

  #send(connection: UpstreamConnection): void {
    this.#connection = connection;
    connection.socket.write(this.#requestHead!);
    if (connection.connected) this.onUpstreamConnect();
  }

  /** The next deadline, from what is to happen next. */
  #progress(): void {
    if (!this.active) return;
    this.#patienceEnds = performance.now() + patienceOf(this.#core.timeouts, this);
    this.client.expectBy(Math.min(this.#patienceEnds, this.#requestBody.deadline));
  }

  /** The application takes no more at present, so the client has to wait. */
  #holdClient(): void {
    this.#stuck.set(this.#connection!.socket.writableLength);
    this.client.pause();
  }

  /** Reads response heads: interim ones are passed on, the final one begins the response. */
  #takeHead(bytes: Buffer): void {
    const head = this.#core.responseParser;
    const all = this.#partialHead === undefined ? bytes : Buffer.concat([this.#partialHead, bytes]);
    this.#partialHead = undefined;
    this.#replay.onAnswer();
    let at = 0;
    while (at < all.length) {
      const end = head.parseResponse(all, at);
      if (end === REFUSED) return this.#fail(UPSTREAM_FAILURES.badResponse);
      if (end === INCOMPLETE) {
        this.#partialHead = Buffer.from(all.subarray(at));
        return undefined;
      }
      if (head.status === 101) return this.#switchProtocols(head, all, end);
      if (head.status >= 200) return this.#respond(head, all, end);
      // 100 was answered by us; 102, 103 and others are the client's, if it can understand them (RFC 9110 section 15.2).
      if (head.status !== 100 && !this.#isHttp10) this.#toClient(this.#startHead(head).text(CRLF).take(), true);
      at = end;
    }
    return undefined;
  }

  #startHead(head: HeadParser): MessageWriter {
    return startResponseHead(this.#core.writer, head, this.#core.response, this.host);
  }

  #respond(head: HeadParser, bytes: Buffer, end: number): void {
    const body = this.#responseBody;
    body.begin(framingOf(head, this.isHead), head.contentLength);
    const endless = body.framing === BODY.chunked || body.framing === BODY.untilClose;
    this.#chunkedOut = endless && !this.#isHttp10;
    this.#endsWithClose = endless && this.#isHttp10;
    this.#keepUpstream = staysOpen(head, body.framing);
    if (this.client.last || !this.requestDone || this.#endsWithClose) this.#keepClient = false;
    const bodyEnd = body.done ? end : body.decode(bytes, end);
    // Nothing has been sent yet, so the client can still be told.
    if (body.failed) return this.#fail(UPSTREAM_FAILURES.badResponse);
    this.status = head.status;
    const message = this.#startHead(head).text(
      responseFraming(head, this.#chunkedOut) +
        connectionLine(this.#keepClient, this.#isHttp10) +
        this.#core.response.endOfHead,
    );
    return this.#endOfBytes(bytes, bodyEnd, message.takeWith(body, bytes, this.#chunkedOut));
  }

  #takeResponse(bytes: Buffer): void {
    const body = this.#responseBody;
    const end = body.decode(bytes, 0);
    if (body.failed) return this.#breakOff(UPSTREAM_FAILURES.badResponse);
    const data = framedData(body, bytes, { writer: this.#core.writer, chunked: this.#chunkedOut });
    return this.#endOfBytes(bytes, end, kept(data));
  }

  /** Sends what was made of the bytes up to `end`, and ends the exchange when that was all. */
  #endOfBytes(bytes: Buffer, end: number, message: Buffer): void {
    const { done } = this.#responseBody;
    if (message.length > 0) this.#toClient(message, !done);
    if (!done) return undefined;
    // Bytes behind the end belong to no request: whatever they are, this connection is not used again.
    if (end < bytes.length) this.#keepUpstream = false;
    return this.#finish();
  }

  #toClient(message: Buffer, more: boolean): void {
    if (!this.client.write(message) && more) this.#connection?.socket.pause();
  }

  #switchProtocols(head: HeadParser, bytes: Buffer, end: number): void {
    if (this.#upgrade === "" || !this.requestDone) return this.#fail(UPSTREAM_FAILURES.badResponse);
    this.status = 101;
    this.tunnel = true;
    this.complete = true;
    const protocol = head.upgrade === -1 ? this.#upgrade : head.value(head.upgrade);
    this.client.write(this.#startHead(head).text(`Connection: upgrade\r\nUpgrade: ${protocol}\r\n\r\n`).take());
    this.#core.observer.onResponse(this);
    if (end < bytes.length) this.#toClient(kept(bytes.subarray(end)), true);
    const early = this.client.takeTunnelBytes();
    if (early !== undefined) this.takeTunnelled(early);
    // A tunnel has no next response after which to end.
    if (this.client.retired) this.client.destroy();
    return undefined;
  }

  #finish(): void {
    this.complete = true;
    const connection = this.#connection;
    this.#release();
    if (this.#keepUpstream && this.requestDone) connection?.upstream.takeBack(connection);
    else connection?.discard();
    this.#core.observer.onResponse(this);
    this.client.exchangeDone(this.#keepClient && this.requestDone);
  }

  /** What the caller wants said instead of asking an upstream. */
  #answerWith(answer: Answer | Refusal): void {
    if ("reason" in answer) return this.#refuse(answer);
    this.status = answer.status;
    this.complete = true;
    // What is left of the request would be taken for the next one.
    if (this.client.last || !this.requestDone) this.#keepClient = false;
    const head = answerHead(answer, connectionLine(this.#keepClient, this.#isHttp10) + this.#core.response.endOfHead);
    this.client.write(this.isHead ? head : head + answer.body);
    this.#release();
    this.#core.observer.onResponse(this);
    return this.client.exchangeDone(this.#keepClient);
  }

  /** The upstream has failed: another gets the request if it may have it, or the client is told. */
  #failOver(failure: Refusal, wasSent: boolean): void {
    const next = this.#replay.elsewhere(this.#core, this.#requestHead!, this, wasSent);
    if (next === undefined) return this.#fail(failure);
    this.#core.observer.onUpstreamFailure(failure, this.upstream);
    this.#connection?.discard();
    this.upstream = next;
    this.#send(next.lend(this, { replayable: this.#replay.isSafe }));
    return this.#progress();
  }

  /** Nothing of a response has been sent: the client gets ours. */
  #fail(failure: Refusal): void {
    this.#core.observer.onUpstreamFailure(failure, this.upstream);
    this.#refuse(failure);
  }

  #refuse(refusal: Refusal): void {
    this.#connection?.discard();
    this.#release();
    const inOrder = this.requestDone && refusal.status >= 500;
    const keep = inOrder && this.#keepClient && !this.#isHttp10 && !this.client.last;
    this.client.refuse(refusal, { keep, exchange: this });
  }

  /** Part of a response has been sent: all that is left is to make it clear that it is not whole. */
  #breakOff(failure?: Refusal): void {
    this.#connection?.discard();
    this.#release();
    if (failure !== undefined) this.#core.observer.onUpstreamFailure(failure, this.upstream);
    if (!this.tunnel) this.#core.observer.onResponse(this);
    if (this.#endsWithClose) this.client.reset();
    else this.client.destroy();
  }

  /** Nothing of a request that is over is kept. */
  #release(): void {
    this.active = false;
    this.#stuck.set(0);
    this.#connection = undefined;
    this.#requestHead = undefined;
    this.#partialHead = undefined;
  }
}
