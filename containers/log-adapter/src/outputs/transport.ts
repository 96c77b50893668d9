// How texts get to where they go. A transport sends one text at a time; whoever calls it repeats what failed.

export type Transport = {
  /**
   * Resolves when the text has been taken, with how many of its records were refused for good. Rejects when it has not been
   * taken: a Refusal if it never will be, any other error if it may be later.
   */
  send(text: string): Promise<number>;
  close(): Promise<void>;
};

/** What the other side will not take however often it is sent. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** What the other side may take after so many milliseconds. */
export class Later extends Error {
  override readonly name = "Later";
  readonly afterMs: number;
  constructor(message: string, afterMs: number) {
    super(message);
    this.afterMs = afterMs;
  }
}
