import { expect, test } from "vitest";

import { encode, signedHeaders } from "./signature.ts";

// The examples of AWS's own documentation, "Signature Calculations for the Authorization Header".
const credentials = { accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const at = new Date("2013-05-24T00:00:00Z");
const region = "us-east-1";

test.each([
  ["/test.txt", { range: "bytes=0-9" }, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"],
  ["/?lifecycle=", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["/?max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
])("a GET of %s is signed as AWS signs it", (path, more, signature) => {
  const url = new URL(`https://examplebucket.s3.amazonaws.com${path}`);
  const { authorization } = signedHeaders(url, credentials, { region, at, more });
  expect(authorization).toContain("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,");
  expect(authorization!.split("Signature=")[1]).toBe(signature);
});

test("all but unreserved characters are encoded", () => {
  expect(encode("a-b_c.d~e /+!'()*ü")).toBe("a-b_c.d~e%20%2F%2B%21%27%28%29%2A%C3%BC");
});
