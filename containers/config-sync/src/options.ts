// The options of config-sync: the only place where they are described. A job of `jobs` has the same keys.
import {
  boolean,
  bytes,
  choice,
  duration,
  integer,
  list,
  objects,
  option,
  path,
  ratio,
  secret,
  text,
} from "@outrigger/options";
import type { ValuesOf } from "@outrigger/options";

import { COLLISIONS } from "./merge.ts";

const SOURCE = text(
  "dir:/path, https://host/path, kube:configmap/NAME, git+https://host/repository or etcd://host/prefix",
);
const VALIDATOR = text(
  "regex:EXPRESSION, json, yaml, toml, ini, non-empty, schema:FILE, size:SIZE or required:NAME, perhaps with @PATTERN, or exec:COMMAND or http://...",
);
const NOTIFIER = text("http://..., signal:NAME:PROCESS, exec:COMMAND or touch:FILE");
const CONFIRMATION = text("http://... or exec:COMMAND");
const MODE = text("an octal mode such as 0644");
const LAYOUTS = ["atomic", "flat"] as const;

/** What a job is made of; `jobs` has many of these, the short form one. */
const job = {
  source: option({
    kind: list(SOURCE),
    section: "Sources",
    summary:
      "Where files come from: `dir:/path`, `https://host/path`, `kube:configmap/NAME`, `git+https://host/repository`, `s3://bucket/prefix`, `etcd://host/prefix` and the like; see [Sources](#sources). With several, all their files are merged; of two with the same path the later one wins, unless `--collision` says otherwise.",
  }),
  collision: option({
    kind: choice(COLLISIONS),
    default: "last",
    section: "Sources",
    summary:
      "Which file is taken when several sources have one of the same path: that of the `last` source, of the `first`, or none, which is an `error`.",
  }),
  render: option({
    kind: list(text("env, liquid, gunzip or base64, perhaps with @PATTERN")),
    section: "Rendering",
    summary:
      "What is done to files before they are checked, in this order: `env` puts variables for `${NAME}`, `liquid` renders templates, `gunzip` and `base64` undo those; see [Rendering](#rendering).",
  }),
  renderVariables: option({
    kind: list(path()),
    section: "Rendering",
    summary:
      "Folders whose files are variables for `env`, each of its name, besides those of the environment and before them: a mounted Secret, for example.",
  }),
  output: option({
    kind: path(),
    section: "Output",
    summary:
      "The folder in which the files are published. It is made if need be; files in it that were not published are never touched. Without one, sources of the form `dir:` are only watched, and `--notify` tells of their changes.",
  }),
  layout: option({
    kind: choice(LAYOUTS),
    default: "atomic",
    section: "Output",
    summary:
      "`atomic` publishes as Kubernetes' volumes do, by links that all change at once. `flat` replaces plain files one after the other, for applications that cannot follow links.",
  }),
  fileMode: option({
    kind: MODE,
    default: "0644",
    section: "Output",
    summary: "The mode of files; those that are executable at their source can be executed by all who can read them.",
  }),
  folderMode: option({ kind: MODE, default: "0755", section: "Output", summary: "The mode of folders." }),
  owner: option({
    kind: text("UID:GID"),
    section: "Output",
    summary: "The owner of files and folders, `UID:GID`; other than one's own it needs CAP_CHOWN.",
  }),
  keepRevisions: option({
    kind: integer(1, 100),
    default: "3",
    section: "Output",
    summary: "How many revisions before the live one are kept, to go back to.",
  }),
  validate: option({
    kind: list(VALIDATOR),
    section: "Validation",
    summary: "What must hold before anything becomes visible; see [Validation](#validation).",
  }),
  unsafeAllowEmpty: option({
    kind: boolean(),
    default: "false",
    section: "Validation",
    summary:
      "Take it seriously when a source has no files at all, and remove what was published from it. Without this it is a failure of the source.",
  }),
  notify: option({
    kind: list(NOTIFIER),
    section: "Notification",
    summary: "Who is told of a new revision; see [Notification](#notification).",
  }),
  notifyTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Notification",
    summary: "How long one attempt to notify may take; also of validators and confirmations that are commands or URLs.",
  }),
  notifyRetries: option({
    kind: integer(0, 100),
    default: "3",
    section: "Notification",
    summary:
      "How often a notification that failed is repeated at once; after that it is tried again with each `--interval`.",
  }),
  notifyBackoff: option({
    kind: duration(),
    default: "1s",
    section: "Notification",
    summary: "How long to wait before the first repetition; before each further one twice as long, up to 30 s.",
  }),
  notifyMethod: option({
    kind: choice(["POST", "GET", "PUT"]),
    default: "POST",
    section: "Notification",
    summary: "The method of requests that notify.",
  }),
  notifyHeader: option({
    kind: list(text("Name: value")),
    section: "Notification",
    summary: "Header fields of requests that notify, each `Name: value`.",
  }),
  notifyBody: option({
    kind: text(),
    section: "Notification",
    summary:
      "The body of requests that notify, instead of a JSON object that says what has changed. `{job}`, `{revision}`, `{previous}`, `{output}` and `{reason}` stand for what they say.",
  }),
  notifyAuthorizationFile: option({
    kind: path(),
    section: "Notification",
    summary:
      "A file with the value of the header field `Authorization`, such as `Bearer ...`; it is read anew for each request.",
  }),
  notifyStatus: option({
    kind: list(integer(100, 599)),
    section: "Notification",
    summary: "The statuses that mean that a request that notifies was heard: 200 to 299 if none is named.",
  }),
  skipFirstNotify: option({
    kind: boolean(),
    default: "false",
    section: "Notification",
    summary: "Tell nobody of the first revision after the start: the application reads it when it starts.",
  }),
  waitFor: option({
    kind: text("http://... or tcp://host:port"),
    section: "Notification",
    summary:
      "Before anybody is told for the first time, wait until the application answers here: `http://127.0.0.1:8080/` with any status, or `tcp://127.0.0.1:8080`. So it may start after this container.",
  }),
  confirm: option({
    kind: CONFIRMATION,
    section: "Confirmation",
    summary:
      "How to find out whether the application has taken a revision: a URL that then answers 2xx, or a command that then exits 0; see [Confirmation](#confirmation).",
  }),
  confirmText: option({
    kind: text(),
    section: "Confirmation",
    summary:
      "Text that the confirming answer has to contain. `{revision}` stands for the revision, `{file:NAME}` for the content of a file of it without white space around.",
  }),
  confirmTimeout: option({
    kind: duration({ positive: true }),
    default: "30s",
    section: "Confirmation",
    summary:
      "How long the application has to confirm; after that the last revision that it confirmed is published again.",
  }),
  interval: option({
    kind: duration({ positive: true }),
    default: "30s",
    section: "Timing",
    summary: "How often sources are asked although nothing says that they have changed.",
    aliases: { UPDATE_FREQUENCY: (text) => text },
  }),
  jitter: option({
    kind: ratio(),
    default: "10%",
    section: "Timing",
    summary:
      "By how much of it `--interval` is made longer or shorter each time, so that many pods do not ask at the same moment.",
  }),
  quietPeriod: option({
    kind: duration(),
    default: "250ms",
    section: "Timing",
    summary: "How long it must have been quiet after a change before it is taken up, so that many changes are one.",
  }),
  maxDelay: option({
    kind: duration(),
    default: "5s",
    section: "Timing",
    summary: "How long further changes can put that off.",
  }),
  splay: option({
    kind: duration(),
    default: "0",
    section: "Timing",
    summary:
      "A change waits for a random time up to this before it is published, so that many pods do not reload at once. The first is published at once.",
  }),
  staleAfter: option({
    kind: duration(),
    default: "0",
    section: "Timing",
    summary:
      "When sources have not been reached for so long, `/readyz` is 503. With 0 a revision that was published is good for ever.",
  }),
  maxFiles: option({
    kind: integer(1, 100_000),
    default: "10000",
    section: "Limits",
    summary: "How many files a job may have.",
  }),
  maxSize: option({
    kind: bytes(),
    default: "64MiB",
    section: "Limits",
    summary: "How large all files of a job may be together. Memory use follows it.",
  }),
} as const;

export type JobKeys = Partial<ValuesOf<typeof job>> & { readonly name: string };

export const options = {
  ...job,
  jobs: option<JobKeys[]>({
    kind: objects<JobKeys>(
      { name: text("a name"), ...Object.fromEntries(Object.entries(job).map(([key, { kind }]) => [key, kind])) },
      { required: ["name"], form: "a list of jobs, each with a name and keys of the other options", maxItems: 100 },
    ),
    section: "Jobs",
    summary:
      "Any number of jobs, each with a `name`, a `source`, mostly an `output`, and whatever else of these options is to be other for it than for all.",
  }),
  once: option({
    kind: boolean(),
    default: "false",
    section: "Jobs",
    summary: "Bring everything up to date once and end: 0 if all jobs have succeeded, else 1. For init containers.",
  }),
  dryRun: option({
    kind: boolean(),
    default: "false",
    section: "Jobs",
    summary: "Fetch and check as always, but publish nothing and tell nobody: what would change is logged.",
  }),
  pushSecret: option({
    kind: secret(),
    section: "Push",
    summary:
      "A file with the secret of webhooks: `POST /api/v1/sync` is then open to requests that GitHub or GitLab has signed with it.",
  }),
} as const;

export type Values = ValuesOf<typeof options>;
/** The options of one job, all of them known. */
export type JobValues = ValuesOf<typeof job>;
export const JOB_KEYS = Object.keys(job) as (keyof JobValues)[];
