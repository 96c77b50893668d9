// The patterns that grok's users expect by name. What they fit follows from the formats themselves, written for an engine
// that does not look around.
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const H16 = "[0-9A-Fa-f]{1,4}";

const WORDS = {
  USERNAME: "[a-zA-Z0-9._-]+",
  USER: "%{USERNAME}",
  EMAILLOCALPART: "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*",
  EMAILADDRESS: "%{EMAILLOCALPART}@%{HOSTNAME}",
  INT: "[+-]?[0-9]+",
  BASE10NUM: "[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)",
  NUMBER: "%{BASE10NUM}",
  BASE16NUM: "[+-]?(?:0x)?[0-9A-Fa-f]+",
  BASE16FLOAT: "[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\\.[0-9A-Fa-f]*)?|\\.[0-9A-Fa-f]+)",
  POSINT: "\\b[1-9][0-9]*\\b",
  NONNEGINT: "\\b[0-9]+\\b",
  WORD: "\\b\\w+\\b",
  NOTSPACE: "\\S+",
  SPACE: "\\s*",
  DATA: ".*?",
  GREEDYDATA: ".*",
  QUOTEDSTRING: "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`(?:[^`\\\\]|\\\\.)*`",
  QS: "%{QUOTEDSTRING}",
  UUID: "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
  URN: "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+",
  BOOLEAN: "[Tt]rue|[Ff]alse|TRUE|FALSE",
};

const NETWORK = {
  CISCOMAC: "(?:[0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4}",
  WINDOWSMAC: "(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}",
  COMMONMAC: "(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}",
  MAC: "%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}",
  IPV4: `(?:${OCTET}\\.){3}${OCTET}`,
  IPV6: [
    `(?:${H16}:){7}${H16}`,
    `(?:${H16}:){6}%{IPV4}`,
    `(?:${H16}:){1,6}(?::${H16}){1,6}`,
    `(?:${H16}:){1,7}:`,
    `::(?:[Ff]{4}:)?%{IPV4}`,
    `:(?::${H16}){1,7}`,
    "::",
  ]
    .map((form) => `${form}(?:%[0-9A-Za-z]+)?`)
    .join("|"),
  IP: "%{IPV6}|%{IPV4}",
  HOSTNAME: "\\b[0-9A-Za-z_][0-9A-Za-z_-]{0,62}(?:\\.[0-9A-Za-z_][0-9A-Za-z_-]{0,62})*\\.?",
  IPORHOST: "%{IP}|%{HOSTNAME}",
  HOSTPORT: "%{IPORHOST}:%{POSINT}",
  URIPROTO: "[A-Za-z][A-Za-z0-9+.-]+",
  URIHOST: "%{IPORHOST}(?::%{POSINT})?",
  URIPATH: "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_|-]*)+",
  URIQUERY: "[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\\[\\]<>-]*",
  URIPARAM: "\\?%{URIQUERY}",
  URIPATHPARAM: "%{URIPATH}(?:%{URIPARAM})?",
  URI: "%{URIPROTO}://(?:%{USER}(?::[^@\\s]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
};

const PATHS = {
  UNIXPATH: "(?:/[\\w_%!$@:.,+~-]*)+",
  WINPATH: "(?:[A-Za-z]+:|\\\\)(?:\\\\[^\\\\?*\\s]*)+",
  PATH: "%{UNIXPATH}|%{WINPATH}",
  TTY: "/dev/(?:pts|tty[pq]?)(?:\\w+)?/?[0-9]*",
};

const TIMES = {
  MONTH:
    "\\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?|[Ss]ep(?:t(?:ember)?)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\\b",
  MONTHNUM: "0?[1-9]|1[0-2]",
  MONTHNUM2: "0[1-9]|1[0-2]",
  MONTHDAY: "3[01]|[12][0-9]|0?[1-9]",
  DAY: "\\b(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)\\b",
  YEAR: "[0-9]{4}|[0-9]{2}",
  HOUR: "2[0-3]|[01]?[0-9]",
  MINUTE: "[0-5][0-9]",
  SECOND: "(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?",
  TIME: "%{HOUR}:%{MINUTE}(?::%{SECOND})?",
  DATE_US: "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
  DATE_EU: "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
  ISO8601_TIMEZONE: "Z|[+-]%{HOUR}(?::?%{MINUTE})?",
  ISO8601_SECOND: "%{SECOND}",
  TIMESTAMP_ISO8601:
    "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?: ?(?:%{ISO8601_TIMEZONE}))?",
  DATE: "%{DATE_US}|%{DATE_EU}",
  DATESTAMP: "%{DATE}[- ]%{TIME}",
  TZ: "[A-Z]{3,4}",
  DATESTAMP_RFC822: "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
  DATESTAMP_RFC2822: "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} (?:%{ISO8601_TIMEZONE}|%{TZ})",
  DATESTAMP_OTHER: "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
  DATESTAMP_EVENTLOG: "[0-9]{4}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}",
  HTTPDATE: "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}",
  HTTPDERROR_DATE: "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}",
  SYSLOGTIMESTAMP: "%{MONTH} +%{MONTHDAY} %{TIME}",
};

const LOGS = {
  LOGLEVEL:
    "(?i:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?)",
  PROG: "[\\x21-\\x5a\\x5c\\x5e-\\x7e]+",
  SYSLOGPROG: "%{PROG:program}(?:\\[%{POSINT:pid}\\])?",
  SYSLOGHOST: "%{IPORHOST}",
  SYSLOGFACILITY: "<%{NONNEGINT:facility}.%{NONNEGINT:priority}>",
  SYSLOGBASE: "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} +%{SYSLOGPROG}:",
  HTTPDUSER: "%{EMAILADDRESS}|%{USER}",
  COMMONAPACHELOG:
    '%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \\[%{HTTPDATE:timestamp}\\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" (?:-|%{NUMBER:response}) (?:%{NUMBER:bytes}|-)',
  COMBINEDAPACHELOG: "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
  HTTPD_COMMONLOG: "%{COMMONAPACHELOG}",
  HTTPD_COMBINEDLOG: "%{COMBINEDAPACHELOG}",
  JAVACLASS: "(?:[a-zA-Z$_][a-zA-Z$_0-9]*\\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
  JAVAFILE: "[A-Za-z0-9_. -]+",
  JAVAMETHOD: "<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*",
  JAVASTACKTRACEPART: "\\s*at %{JAVACLASS:class}\\.%{JAVAMETHOD:method}\\(%{JAVAFILE:file}(?::%{INT:line})?\\)",
  JAVATHREAD: "[A-Z]{2}-Processor[\\d]+",
};

export const GROK_PATTERNS: Readonly<Record<string, string>> = { ...WORDS, ...NETWORK, ...PATHS, ...TIMES, ...LOGS };
