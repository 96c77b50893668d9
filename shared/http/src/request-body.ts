// The body of a request on its way: where it ends, what of it is data, and whether it keeps to its limits.
import { BODY, BodyDecoder } from "./body-decoder.ts";
import { BodyWatch } from "./body-watch.ts";
import type { BodyLimits } from "./body-watch.ts";
import type { FieldSection } from "./field-section.ts";
import type { HeadParser } from "./head-parser.ts";
import { framedData } from "./message-writer.ts";
import type { MessageWriter } from "./message-writer.ts";
import type { Refusal } from "./refusals.ts";
import { REFUSALS } from "./refusals.ts";

/** Takes one body after another: `begin`, then `take` for each piece. */
export class RequestBody {
  readonly #decoder: BodyDecoder;
  readonly #watch: BodyWatch;
  /** Why it cannot be passed on. */
  problem: Refusal | undefined;

  constructor(trailerParser: FieldSection, limits: BodyLimits) {
    this.#decoder = new BodyDecoder(trailerParser);
    this.#watch = new BodyWatch(limits);
  }

  begin(head: HeadParser): void {
    const framing = head.chunked ? BODY.chunked : head.contentLength > 0 ? BODY.length : BODY.none;
    this.#decoder.begin(framing, head.contentLength);
    this.problem = this.#watch.begin(head.contentLength) ? undefined : REFUSALS.bodyTooLarge;
  }

  get done(): boolean {
    return this.#decoder.done;
  }

  /** Takes bytes from `from` on; gives the offset behind what belongs to the body. Check `problem` afterwards. */
  take(bytes: Buffer, from: number): number {
    const decoder = this.#decoder;
    const end = decoder.decode(bytes, from);
    if (decoder.failed) this.problem = REFUSALS.badChunk;
    else if (!this.#watch.take(decoder.size)) this.problem = REFUSALS.bodyTooLarge;
    return end;
  }

  /** What is to be sent of the bytes last taken, in framing of our own; undefined for nothing. */
  dataOf(bytes: Buffer, writer: MessageWriter): Buffer | undefined {
    const { size, framing, done } = this.#decoder;
    const chunked = framing === BODY.chunked;
    return size === 0 && !(chunked && done) ? undefined : framedData(this.#decoder, bytes, { writer, chunked });
  }

  /** When to look at its rate. */
  get deadline(): number {
    return this.done ? Infinity : this.#watch.deadline;
  }

  /** Whether it comes too slowly; `excused` says that we have not taken what came. */
  isSlow(excused: boolean): boolean {
    return this.#watch.isSlow(excused);
  }
}
