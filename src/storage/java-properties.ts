/**
 * The text format of `java.util.Properties`: `key=value` lines, `#` or `!` comments, backslash escapes, a backslash at
 * the end of a line to go on in the next.
 */

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };
const NEEDS_ESCAPE = /[\\\t\n\r\f=:#!]|[^ -~]/g;
const ESCAPE_NAMES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' };

/** Later keys replace earlier equal ones. An escape of `\u` without four hexadecimal digits is read as a plain `u`. */
export function parseJavaProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const keyEnd = endOfKey(line);
    const value = line.slice(keyEnd).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    properties.set(unescaped(line.slice(0, keyEnd)), unescaped(value));
  }
  return properties;
}

/** Each entry a line; `comments` before them, one line each. */
export function formatJavaProperties(
  properties: Iterable<readonly [string, string]>,
  comments: readonly string[] = [],
): string {
  const lines = comments.map((comment) => `#${comment}`);
  for (const [key, value] of properties) {
    lines.push(`${escaped(key).replaceAll(' ', '\\ ')}=${escaped(value).replace(/^ /, '\\ ')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Lines without comments and empty ones, those that are continued put together. */
function* logicalLines(text: string): Generator<string> {
  let begun: string | undefined;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (begun === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const whole = (begun ?? '') + line;
    const backslashes = /\\*$/.exec(whole)![0].length;
    if (backslashes % 2 === 1) {
      begun = whole.slice(0, -1);
    } else {
      begun = undefined;
      yield whole;
    }
  }
  if (begun !== undefined && begun !== '') yield begun;
}

function endOfKey(line: string): number {
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (/[=: \t\f]/.test(line[i]!)) return i;
  }
  return line.length;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function escaped(text: string): string {
  return text.replace(NEEDS_ESCAPE, (character) => {
    if (character.length === 1 && character >= ' ' && character <= '~') return `\\${character}`;
    return ESCAPE_NAMES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`;
  });
}
