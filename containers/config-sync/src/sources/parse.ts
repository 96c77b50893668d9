// From `dir:/path` or `https://host/path` to a source.
import type { Environment } from "../deps.ts";
import { problem, splitScheme, value } from "../written.ts";
import type { Parsed } from "../written.ts";
import { parseEtcdSource } from "./etcd.ts";
import { createFolderSource } from "./folder.ts";
import { parseGitSource } from "./git.ts";
import { parseKubeSource } from "./kube/source.ts";
import { parseS3Source } from "./s3/source.ts";
import type { SourceFactory } from "./source.ts";
import { parseWebSource } from "./web.ts";

export function parseSource(text: string, env: Environment): Parsed<SourceFactory> {
  const [scheme, rest] = splitScheme(text);
  if (scheme === "dir" && rest.startsWith("/")) return value((settings) => createFolderSource(rest, settings));
  if (scheme === "http" || scheme === "https") return parseWebSource(text);
  if (scheme === "kube") return parseKubeSource(text, env);
  if (scheme === "s3") return parseS3Source(text);
  if (scheme === "etcd") return parseEtcdSource(text);
  if (scheme.startsWith("git+")) return parseGitSource(text, env);
  return problem(
    "dir:/path, https://host/path, kube:configmap/NAME, git+https://host/repository, s3://bucket/prefix or etcd://host/prefix",
    text,
  );
}
