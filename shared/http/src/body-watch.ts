// How large a request's body may be, and how slowly it may come.

export type BodyLimits = {
  /** In bytes, as they are without framing. */
  readonly maxBytes?: number | undefined;
  /** On average over each `rateWindowMs`, but for those in which we did not take what came. 0 for no limit. */
  readonly minBytesPerSecond?: number | undefined;
  /** 5 s. */
  readonly rateWindowMs?: number;
};

const RATE_WINDOW_MS = 5000;

/** Watches one body after another. */
export class BodyWatch {
  readonly #limits: BodyLimits;
  #received = 0;
  #windowStart = 0;
  #inWindow = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** A body begins; false when its length is too large already. */
  begin(length: number): boolean {
    this.#received = 0;
    this.#inWindow = 0;
    this.#windowStart = performance.now();
    return !(length > (this.#limits.maxBytes ?? Infinity));
  }

  /** More of it has come; false when it has become too large. */
  take(bytes: number): boolean {
    this.#received += bytes;
    this.#inWindow += bytes;
    return !(this.#received > (this.#limits.maxBytes ?? Infinity));
  }

  /** When to look at the rate; Infinity for never. */
  get deadline(): number {
    const { minBytesPerSecond = 0 } = this.#limits;
    return minBytesPerSecond > 0 ? this.#windowStart + (this.#limits.rateWindowMs ?? RATE_WINDOW_MS) : Infinity;
  }

  /** Whether it comes too slowly; `excused` says that we have not taken what came. Begins a new window. */
  isSlow(excused: boolean): boolean {
    const now = performance.now();
    if (now < this.deadline) return false;
    const slow = this.#inWindow < ((this.#limits.minBytesPerSecond ?? 0) * (now - this.#windowStart)) / 1000;
    this.#windowStart = now;
    this.#inWindow = 0;
    return slow && !excused;
  }
}
