// All built-in formats by name: what --format may name, and what detection is made of.
import { readAccess } from "./formats/access.ts";
import { readMongodb, readMysql, readPostgresql, readRedis } from "./formats/databases.ts";
import { readJson } from "./formats/json.ts";
import { readJul, readLogcat, readPython, readRas, readRuby } from "./formats/languages.ts";
import { readLogfmt } from "./formats/logfmt.ts";
import { readMysqlSlow, readPostgresqlCsv } from "./formats/records.ts";
import { readApacheError, readHaproxy, readKlog, readNginxError } from "./formats/servers.ts";
import { readSyslog, readSyslog5424 } from "./formats/syslog.ts";
import { readAudit, readCef, readEnvoy, readKernel } from "./formats/systems.ts";
import { readText } from "./formats/text.ts";
import type { Format } from "./reading.ts";

/** Every line is its own message. */
const readPlain: Format = (line, reading) => {
  reading.format = "plain";
  reading.body = line;
  return true;
};

export const BUILT_IN: Readonly<Record<string, Format>> = {
  json: readJson,
  logfmt: readLogfmt,
  access: readAccess,
  syslog: readSyslog,
  syslog5424: readSyslog5424,
  nginx_error: readNginxError,
  apache_error: readApacheError,
  haproxy: readHaproxy,
  envoy: readEnvoy,
  klog: readKlog,
  redis: readRedis,
  postgresql: readPostgresql,
  postgresql_csv: readPostgresqlCsv,
  mysql: readMysql,
  mysql_slow: readMysqlSlow,
  mongodb: readMongodb,
  logcat: readLogcat,
  ruby: readRuby,
  python: readPython,
  jul: readJul,
  kernel: readKernel,
  audit: readAudit,
  cef: readCef,
  ras: readRas,
  text: readText,
  plain: readPlain,
};
