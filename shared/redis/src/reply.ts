// What a Redis server answers, as values.

/**
 * Strings are decoded as UTF-8, with U+FFFD for what is not. RESP3's sets are arrays, its doubles numbers and its verbatim
 * strings strings; a number that is no safe integer is a bigint. An error within an array is a value; one that is the
 * whole reply rejects the command.
 */
export type Reply = string | number | bigint | boolean | null | RedisError | Reply[] | Map<Reply, Reply>;

/** The server's own error: `NOAUTH Authentication required.` and the like. */
export class RedisError extends Error {
  override readonly name = "RedisError";

  /** The first word, by which errors are told apart: `NOAUTH`, `NOPERM`, `WRONGTYPE`, `ERR` ... */
  get code(): string {
    return this.message.split(" ", 1)[0]!;
  }
}
