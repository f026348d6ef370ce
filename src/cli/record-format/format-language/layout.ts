/**
 * The syntax of `-f`: text, escapes, and verbs with modifiers. What a verb means is the business of the output and
 * input compilers.
 *
 * ```
 * layout    = { literal | escape | "%%" | "%{" | "%}" | verb }
 * verb      = "%" character [ "{" ( modifiers | layout ) "}" ]       a layout only after %h
 * modifiers = modifier { ( "," | ";" ) modifier }
 * modifier  = name [ "=" text | ":" text | open body close ]
 * open      = one character, repeated as often as one likes; { [ ( close with } ] ), any other with itself
 * ```
 *
 * In text after `=` and `:` the escapes hold, and `%}` `%{` `%%` stand for the bare character.
 */
import { KlogError } from '../../../errors.js';
import { argumentBytes, byteAsText } from '../../argument-bytes.js';
import { escapeLength, readEscape } from '../escapes.js';

export type LayoutNode = LiteralNode | VerbNode;

export interface LiteralNode {
  readonly kind: 'literal';
  readonly bytes: Buffer;
}

export interface VerbNode {
  readonly kind: 'verb';
  /** One character. */
  readonly verb: string;
  /** Empty without braces and for `{}`. */
  readonly modifiers: readonly Modifier[];
  /** Whether there were braces. */
  readonly braced: boolean;
  /** What stood in the braces of `%h`. */
  readonly inner: readonly LayoutNode[] | undefined;
  /** Index of the `%` in the format. */
  readonly index: number;
}

export interface Modifier {
  readonly name: string;
  /** Behind `=` or `:`, or between the brackets. Any bytes, see argument-bytes.ts. */
  readonly argument: string | undefined;
  readonly index: number;
}

/** Modifiers whose argument stands in brackets. */
const BRACKETED = new Set(['go', 'strftime', 'unpack', 're']);
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };

/** KLOG_USAGE saying where in the format, why, and what is known. */
export function formatError(format: string, index: number, reason: string, hint?: string): KlogError {
  const shown = format.slice(index, index + 20);
  const place = shown === '' ? 'at its end' : `at position ${index + 1} ("${shown}")`;
  return new KlogError('KLOG_USAGE', `Bad format ${place}: ${reason}`, { hint });
}

export function parseLayout(format: string): LayoutNode[] {
  const parser = new LayoutParser(format);
  return parser.parse(false);
}

/** Headers have no headers of their own: two levels would do. */
const MOST_LEVELS = 20;

class LayoutParser {
  readonly #format: string;
  #index = 0;
  #level = 0;

  constructor(format: string) {
    this.#format = format;
  }

  /** Up to the end of the format, or up to and including the brace that closes a nested layout. */
  parse(nested: boolean): LayoutNode[] {
    const format = this.#format;
    const openedAt = this.#index;
    const nodes: LayoutNode[] = [];
    const literal: Buffer[] = [];
    let depth = 0;
    const endLiteral = () => {
      if (literal.length > 0) nodes.push({ kind: 'literal', bytes: Buffer.concat(literal.splice(0)) });
    };
    while (this.#index < format.length) {
      const character = format[this.#index]!;
      if (character === '\\') {
        literal.push(Buffer.from([readEscape(format, this.#index, 'the format')]));
        this.#index += escapeLength(format, this.#index);
      } else if (character === '%') {
        const next = format[this.#index + 1];
        if (next === undefined) {
          throw formatError(format, this.#index, 'a lone % ends the format', 'Write %% for a percent sign.');
        }
        if (next === '%' || next === '{' || next === '}') {
          literal.push(Buffer.from(next));
          this.#index += 2;
        } else {
          endLiteral();
          if (++this.#level > MOST_LEVELS) {
            throw formatError(
              format,
              this.#index,
              'layouts are nested too deeply',
              'A header has no headers of its own.',
            );
          }
          nodes.push(this.#parseVerb());
          this.#level--;
        }
      } else {
        if (nested && character === '}' && depth === 0) {
          this.#index++;
          endLiteral();
          return nodes;
        }
        if (character === '{') depth++;
        else if (character === '}' && depth > 0) depth--;
        const whole = String.fromCodePoint(format.codePointAt(this.#index)!);
        literal.push(argumentBytes(whole));
        this.#index += whole.length;
      }
    }
    if (nested) throw formatError(format, openedAt - 1, 'this brace is never closed');
    endLiteral();
    return nodes;
  }

  #parseVerb(): VerbNode {
    const format = this.#format;
    const index = this.#index;
    const verb = String.fromCodePoint(format.codePointAt(index + 1)!);
    this.#index = index + 1 + verb.length;
    if (format[this.#index] !== '{') {
      return { kind: 'verb', verb, modifiers: [], braced: false, inner: undefined, index };
    }
    this.#index++;
    if (verb === 'h' && !format.startsWith('name:', this.#index)) {
      return { kind: 'verb', verb, modifiers: [], braced: true, inner: this.parse(true), index };
    }
    return { kind: 'verb', verb, modifiers: this.#parseModifiers(), braced: true, inner: undefined, index };
  }

  #parseModifiers(): Modifier[] {
    const format = this.#format;
    const openedAt = this.#index - 1;
    const modifiers: Modifier[] = [];
    if (format[this.#index] === '}') {
      this.#index++;
      return modifiers;
    }
    for (;;) {
      modifiers.push(this.#parseModifier(openedAt));
      const separator = format[this.#index];
      if (separator === undefined) throw formatError(format, openedAt, 'this brace is never closed');
      this.#index++;
      if (separator === '}') return modifiers;
      if (separator !== ',' && separator !== ';') {
        throw formatError(format, this.#index - 1, 'expected a comma or a closing brace');
      }
    }
  }

  #parseModifier(openedAt: number): Modifier {
    const format = this.#format;
    const index = this.#index;
    const name = /^[a-zA-Z0-9-]*/.exec(format.slice(index))![0];
    this.#index += name.length;
    const next = format[this.#index];
    if (next === undefined) throw formatError(format, openedAt, 'this brace is never closed');
    if (name === '') throw formatError(format, index, 'expected a modifier');
    if (BRACKETED.has(name)) return { name, argument: this.#parseBracketed(name), index };
    if (next !== '=' && next !== ':') return { name, argument: undefined, index };
    this.#index++;
    return { name, argument: name === 'jq' ? this.#parsePath() : this.#parseText(openedAt), index };
  }

  #parseBracketed(name: string): string {
    const format = this.#format;
    const opening = format[this.#index]!;
    if (opening === '}' || opening === ',') {
      throw formatError(format, this.#index, `${name} needs brackets`, `For example {${name}[…]}.`);
    }
    let from = this.#index;
    while (format[from] === opening) from++;
    const closing = (CLOSING[opening] ?? opening).repeat(from - this.#index);
    const to = format.indexOf(closing, from);
    if (to < 0) {
      throw formatError(
        format,
        this.#index,
        `${name} lacks its closing ${closing}`,
        `Any other character may take the place of the brackets: {${name}#…#}.`,
      );
    }

    this.#index = to + closing.length;
    return format.slice(from, to);
  }

  #parseText(openedAt: number): string {
    const format = this.#format;
    let text = '';
    while (this.#index < format.length) {
      const character = format[this.#index]!;
      if (character === ',' || character === '}') return text;
      if (character === '\\') {
        text += byteAsText(readEscape(format, this.#index, 'the format'));
        this.#index += escapeLength(format, this.#index);
      } else if (character === '%' && /[%{}]/.test(format[this.#index + 1] ?? '')) {
        text += format[this.#index + 1];
        this.#index += 2;
      } else {
        text += character;
        this.#index++;
      }
    }
    throw formatError(format, openedAt, 'this brace is never closed');
  }

  /** A field path, in which quoted names may hold anything. */
  #parsePath(): string {
    const path = /^(?:"(?:[^"\\]|\\.)*"|[^",}])*/.exec(this.#format.slice(this.#index))![0];
    this.#index += path.length;
    return path;
  }
}
