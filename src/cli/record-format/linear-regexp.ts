/**
 * Regular expressions from the command line that cannot hang: `(a+)+$` over 50 kB takes milliseconds.
 *
 * V8 has a second engine that is linear in the text (slower, but never exponential). With
 * `--enable-experimental-regexp-engine-on-excessive-backtracks` it takes over when the usual engine backtracks too
 * often, for expressions it knows; the flag `l` of `--enable-experimental-regexp-engine` tells which these are. It does
 * not know look-around, back-references, `{2,3}` and the flags i and u. So counted repetitions are written out, and
 * with `(?i)` text and expression are lower-cased. What is still unknown to it runs under a time limit.
 */
import { setFlagsFromString } from 'node:v8';
import { createContext, Script } from 'node:vm';
import { KlogError } from '../../errors.js';

export interface LinearRegExp {
  test(text: string): boolean;
  /** The end of the match that begins at `from`, or -1. */
  endOfMatchAt(text: string, from: number): number;
}

/** A record that an expression works on longer than this ends the run. */
const TIME_LIMIT_MS = 700;
/** Repetitions written out to more than this go under the time limit instead. */
const MAX_EXPANDED_LENGTH = 20_000;

/** With more, the engine that is linear in the text from the start. */
const MAX_OPTIONAL_PARTS = 16;

/** V8 ends the process, and not only the expression, when its compiler has no stack left. */
const MOST_NESTED_GROUPS = 500;
/** As in Go and RE2. The usual engine takes more than 100 MB for `(?:a?){1000000}`. */
const MOST_REPETITIONS = 1000;

let flagsSet = false;

function allowLinearEngine(): void {
  if (flagsSet) return;
  flagsSet = true;
  setFlagsFromString('--enable-experimental-regexp-engine');
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}

/**
 * JavaScript's syntax without the flag u, and `(?i)` `(?s)` `(?m)` in front as in Go. `what` names the flag in
 * messages. KLOG_USAGE for an expression that is none.
 */
export function compileLinearRegExp(source: string, what: string): LinearRegExp {
  const inline = /^\(\?([ism]+)\)/.exec(source);
  const body = inline === null ? source : source.slice(inline[0].length);
  const letters = new Set(inline?.[1] ?? '');
  const ignoreCase = letters.has('i');
  const flags = `${letters.has('s') ? 's' : ''}${letters.has('m') ? 'm' : ''}`;
  checkSyntax(body, flags, source, what);
  const expanded = expandRepetitions(ignoreCase ? lowerCased(body) : body);
  if (expanded !== undefined && isLinear(expanded, flags)) {
    const engine = takesLongToCompile(expanded) ? `${flags}l` : flags;
    const tester = new StacklessRegExp(expanded, engine);
    const sticky = new StacklessRegExp(expanded, `${engine}y`);
    const fold = ignoreCase ? (text: string) => foldCase(text) : (text: string) => text;
    return {
      test: (text) => tester.endOfMatch(fold(text), 0) >= 0,
      endOfMatchAt: (text, from) => sticky.endOfMatch(fold(text), from),
    };
  }
  return timeLimited(body, `${flags}${ignoreCase ? 'i' : ''}`, source);
}

/**
 * The usual engine keeps each repetition of a group, and has no stack left after some millions: the linear one needs
 * none.
 */
class StacklessRegExp {
  readonly #source: string;
  readonly #flags: string;
  readonly #usual: RegExp;
  #linear: RegExp | undefined;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
    this.#usual = new RegExp(source, flags);
  }

  /** Of the match at `from` where it is sticky, else only whether there is one; -1: none. */
  endOfMatch(text: string, from: number): number {
    try {
      return endOfMatch(this.#usual, text, from);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#linear ??= new RegExp(this.#source, `${this.#flags.replace('l', '')}l`);
      return endOfMatch(this.#linear, text, from);
    }
  }
}

function endOfMatch(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from;
  return expression.test(text) ? expression.lastIndex : -1;
}

/** The usual engine looks at what may follow each optional part, and then again: 48 of them in a row are seconds. */
function takesLongToCompile(expanded: string): boolean {
  return (expanded.match(/[?*]/g)?.length ?? 0) - (expanded.match(/\(\?/g)?.length ?? 0) > MAX_OPTIONAL_PARTS;
}

function checkSyntax(body: string, flags: string, source: string, what: string): void {
  if (/\\[pP]\{|\\u\{/.test(body)) {
    throw new KlogError('KLOG_USAGE', `${what}: \\p{…} and \\u{…} are not supported in "${source}"`);
  }
  if (nestedGroups(body) > MOST_NESTED_GROUPS) {
    throw new KlogError('KLOG_USAGE', `${what}: more than ${MOST_NESTED_GROUPS} groups are nested`);
  }
  const count = body.match(/\\[\s\S]|\{\d+(?:,\d*)?\}/g)?.find((part) => mostOf(part) > MOST_REPETITIONS);
  if (count !== undefined) {
    throw new KlogError('KLOG_USAGE', `${what}: ${count} in "${source}" is more than ${MOST_REPETITIONS} repetitions`);
  }
  try {
    new RegExp(body, flags);
  } catch (error) {
    throw new KlogError('KLOG_USAGE', `${what}: "${source}" is no regular expression: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function mostOf(quantifier: string): number {
  return Math.max(0, ...(quantifier.match(/\d+/g) ?? []).map(Number));
}

/** How deep, or more: brackets in a class count, too. */
function nestedGroups(body: string): number {
  let depth = 0;
  let deepest = 0;
  for (const part of body.match(/\\[\s\S]|[()]/g) ?? []) {
    if (part === '(') deepest = Math.max(deepest, ++depth);
    else if (part === ')') depth--;
  }
  return deepest;
}

function isLinear(source: string, flags: string): boolean {
  allowLinearEngine();
  try {
    new RegExp(source, `${flags}l`);
    return true;
  } catch {
    return false;
  }
}

/** Lengths stay, unlike with `toLowerCase` of some letters, so that positions hold. */
function foldCase(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Letters behind a backslash are classes or code points, not letters. */
function lowerCased(source: string): string {
  return source.replace(
    /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|k<[^>]*>|[\s\S])|\(\?<[A-Za-z_$][^>]*>|[^\\]/g,
    (part) => {
      const hex = /^\\[xu]([0-9a-fA-F]+)$/.exec(part);
      if (hex !== null) {
        const code = String.fromCharCode(Number.parseInt(hex[1]!, 16)).toLowerCase().charCodeAt(0);
        return `\\u${code.toString(16).padStart(4, '0')}`;
      }
      return part.length === 1 ? part.toLowerCase() : part;
    },
  );
}

const ATOM =
  /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|k<[^>]*>|[\s\S])|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?<[A-Za-z_$][^>]*>|\(\?:|\(|\)|\{\d+(?:,\d*)?\}\??|[*+?]\??|[\s\S]/y;

/**
 * `a{2,3}` as `aa(?:a)?`, groups as `(?:…)`: only whether and how far it matches is of interest. Undefined when there
 * are back-references, or when it would become too long.
 */
function expandRepetitions(source: string): string | undefined {
  const openGroups: number[] = [];
  let expanded = '';
  let atomFrom = 0;
  ATOM.lastIndex = 0;
  for (let match = ATOM.exec(source); match !== null; match = ATOM.exec(source)) {
    const part = match[0];
    if (/^\\(?:[1-9]|k<)/.test(part)) return undefined;
    if (/^\(\?[=!<]/.test(source.slice(match.index, match.index + 3)) && !part.endsWith('>')) return undefined;
    if (part[0] === '{' && part.length > 1) {
      const repeated = repeatAtom(expanded.slice(atomFrom), part);
      expanded = expanded.slice(0, atomFrom) + repeated;
    } else if (part[0] === '(') {
      openGroups.push(expanded.length);
      expanded += '(?:';
    } else if (part === ')') {
      atomFrom = openGroups.pop() ?? 0;
      expanded += ')';
    } else if (/^[*+?]/.test(part)) {
      expanded += part;
    } else {
      atomFrom = expanded.length;
      expanded += part;
    }
    if (expanded.length > MAX_EXPANDED_LENGTH) return undefined;
  }
  return expanded;
}

function repeatAtom(atom: string, quantifier: string): string {
  const [, low, comma, high, lazy] = /^\{(\d+)(,?)(\d*)\}(\??)$/.exec(quantifier)!;
  const min = Number(low);
  const max = comma === '' ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high);
  if (Math.max(min, max === Number.POSITIVE_INFINITY ? 0 : max) * atom.length > MAX_EXPANDED_LENGTH) {
    return 'x'.repeat(MAX_EXPANDED_LENGTH + 1);
  }
  const required = atom.repeat(min);
  if (max === Number.POSITIVE_INFINITY) return `(?:${required}(?:${atom})*${lazy})`;
  const optional = max - min;
  return `(?:${required}${`(?:${atom}`.repeat(optional)}${`)?${lazy}`.repeat(optional)})`;
}

function timeLimited(body: string, flags: string, source: string): LinearRegExp {
  const tester = new RegExp(body, flags);
  const sticky = new RegExp(body, `${flags}y`);
  return {
    test: (text) => testInTime(tester, text, source),
    endOfMatchAt: (text, from) => {
      sticky.lastIndex = from;
      return testInTime(sticky, text, source) ? sticky.lastIndex : -1;
    },
  };
}

/** One for all expressions: each has globals of its own, which take half a megabyte. */
let timed: { readonly context: { expression?: RegExp; text: string }; readonly script: Script } | undefined;

function testInTime(expression: RegExp, text: string, source: string): boolean {
  timed ??= { context: createContext({ text: '' }) as { text: string }, script: new Script('expression.test(text)') };
  const { context, script } = timed;
  context.expression = expression;
  context.text = text;
  try {
    return script.runInContext(context, { timeout: TIME_LIMIT_MS }) as boolean;
  } catch (error) {
    const isTime = (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    const limit = isTime ? `for more than ${TIME_LIMIT_MS} ms` : 'until there is no stack left';
    throw new KlogError('KLOG_USAGE', `"${source}" works on one text ${limit}`, {
      cause: error,
      hint: 'Without look-around and back-references it needs neither so long nor a stack.',
    });
  } finally {
    context.text = '';
  }
}
