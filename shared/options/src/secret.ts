// A value that must never be seen: whatever turns it into text gets the same placeholder.

export const REDACTED = "[redacted]";

/** Wraps a secret so that logs, errors, JSON and templates show `[redacted]`; only `reveal()` gives the value. */
export class Secret {
  readonly #value: string;
  /** The path of the file that holds it, which is no secret. */
  readonly file: string | undefined;

  constructor(value: string, file?: string) {
    this.#value = value;
    this.file = file;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
