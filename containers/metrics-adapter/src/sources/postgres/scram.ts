// SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side: proves a password without sending it, and that the server knows
// it, too.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

export const MECHANISM = "SCRAM-SHA-256";
/** The server chooses how much work a password is; more than this is an attack on us. */
const MAX_ITERATIONS = 1_000_000;

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

export type Scram = {
  readonly first: string;
  /** The answer to the server's first message. Throws where that is none. */
  answer(serverFirst: string): Promise<string>;
  /** Throws unless the server has proved that it knows the password. */
  verify(serverFinal: string): void;
};

export function createScram(password: string, nonce = randomBytes(18).toString("base64")): Scram {
  const bare = `n=,r=${nonce}`;
  let expected: Buffer | undefined;
  return {
    first: `n,,${bare}`,
    answer: async (serverFirst) => {
      const [, whole, salt, rounds] = /^r=([^,]+),s=([^,]+),i=(\d{1,9})$/.exec(serverFirst) ?? [];
      if (whole === undefined || !whole.startsWith(nonce) || whole === nonce) {
        throw new Error("expected an answer of SCRAM to what was asked, got another");
      }
      const iterations = Number(rounds);
      if (iterations < 1 || iterations > MAX_ITERATIONS) {
        throw new Error(`expected at most ${MAX_ITERATIONS} iterations, got ${iterations}`);
      }
      const normal = password.normalize("NFKC");
      const salted = await promisify(pbkdf2)(normal, Buffer.from(salt!, "base64"), iterations, 32, "sha256");
      const final = `c=biws,r=${whole}`;
      const all = `${bare},${serverFirst},${final}`;
      expected = hmac(hmac(salted, "Server Key"), all);
      const key = hmac(salted, "Client Key");
      const signature = hmac(createHash("sha256").update(key).digest(), all);
      const proof = Buffer.from(key.map((byte, at) => byte ^ signature[at]!));
      return `${final},p=${proof.toString("base64")}`;
    },
    verify: (serverFinal) => {
      const given = Buffer.from(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? "", "base64");
      if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new Error("expected a server that knows the password, got another");
      }
    },
  };
}
