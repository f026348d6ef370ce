/**
 * Finds where one JSON value ends, in bytes that come in pieces. It is strict: what it accepts `JSON.parse` accepts, so
 * that a broken line is found at its own end and does not swallow the lines behind it.
 */
type State =
  | 'value'
  | 'firstElement'
  | 'firstKey'
  | 'key'
  | 'colon'
  | 'afterValue'
  | 'string'
  | 'escape'
  | 'unicode'
  | 'word'
  | 'minus'
  | 'zero'
  | 'integer'
  | 'point'
  | 'fraction'
  | 'exponent'
  | 'exponentSign'
  | 'exponentDigits'
  | 'done';

/** Deeper values are refused rather than left to overflow the stack of `JSON.parse`. */
const MAX_DEPTH = 1000;

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isHexDigit = (byte: number) => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

export class JsonScanner {
  #state: State = 'value';
  /** 0x7b or 0x5b for each value that is open. */
  readonly #open: number[] = [];
  #stringIsKey = false;
  #word = '';
  #digits = 0;

  reset(): void {
    this.#state = 'value';
    this.#open.length = 0;
  }

  /**
   * Goes through bytes[from, to). Returns the position behind the value, or -1 when it goes on. Throws a
   * {@link JsonSyntaxError} with the position. Leading space is passed over.
   */
  scan(bytes: Uint8Array, from: number, to: number): number {
    let i = from;
    while (i < to) {
      if (this.#state === 'string') {
        i = this.#scanString(bytes, i, to);
        continue;
      }
      if (this.#state === 'done') return i;
      // Numbers end at what is no part of them, which is looked at again.
      if (this.#step(bytes[i]!, i)) i++;
    }
    return this.#state === 'done' ? i : -1;
  }

  /** Whether the input may end here: only a number can be complete without its end being seen. */
  endsHere(): boolean {
    const state = this.#state;
    if (state === 'done') return true;
    const inNumber = state === 'zero' || state === 'integer' || state === 'fraction' || state === 'exponentDigits';
    return inNumber && this.#open.length === 0;
  }

  #scanString(bytes: Uint8Array, from: number, to: number): number {
    let i = from;
    while (i < to) {
      const byte = bytes[i]!;
      if (byte === 0x22) {
        if (this.#stringIsKey) this.#state = 'colon';
        else this.#endValue();
        return i + 1;
      }
      if (byte === 0x5c) {
        this.#state = 'escape';
        return i + 1;
      }
      if (byte < 0x20) throw new JsonSyntaxError('a control byte in a JSON string', i);
      i++;
    }
    return i;
  }

  /** Returns whether the byte was taken. */
  #step(byte: number, i: number): boolean {
    switch (this.#state) {
      case 'value':
        if (!isSpace(byte)) this.#beginValue(byte, i);
        return true;
      case 'firstElement':
        if (isSpace(byte)) return true;
        if (byte === 0x5d) this.#close();
        else this.#beginValue(byte, i);
        return true;
      case 'firstKey':
        if (isSpace(byte)) return true;
        if (byte === 0x7d) {
          this.#close();
          return true;
        }
        return this.#beginKey(byte, i);
      case 'key':
        return isSpace(byte) || this.#beginKey(byte, i);
      case 'colon':
        if (isSpace(byte)) return true;
        if (byte !== 0x3a) throw unexpected(byte, i, 'a colon');
        this.#state = 'value';
        return true;
      case 'afterValue':
        return this.#stepAfterValue(byte, i);
      case 'escape':
        return this.#stepEscape(byte, i);
      case 'unicode':
        if (!isHexDigit(byte)) throw unexpected(byte, i, 'four hex digits behind \\u');
        if (--this.#digits === 0) this.#state = 'string';
        return true;
      case 'word':
        if (byte !== this.#word.charCodeAt(0)) throw unexpected(byte, i, 'true, false or null');
        this.#word = this.#word.slice(1);
        if (this.#word === '') this.#endValue();
        return true;
      default:
        return this.#stepNumber(byte, i);
    }
  }

  #beginValue(byte: number, i: number): void {
    if (byte === 0x22) {
      this.#stringIsKey = false;
      this.#state = 'string';
    } else if (byte === 0x7b || byte === 0x5b) {
      if (this.#open.length === MAX_DEPTH) throw new JsonSyntaxError(`JSON nested deeper than ${MAX_DEPTH}`, i);
      this.#open.push(byte);
      this.#state = byte === 0x7b ? 'firstKey' : 'firstElement';
    } else if (byte === 0x2d) {
      this.#state = 'minus';
    } else if (isDigit(byte)) {
      this.#state = byte === 0x30 ? 'zero' : 'integer';
    } else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
      this.#word = byte === 0x74 ? 'rue' : byte === 0x66 ? 'alse' : 'ull';
      this.#state = 'word';
    } else {
      throw unexpected(byte, i, 'a JSON value');
    }
  }

  #beginKey(byte: number, i: number): boolean {
    if (byte !== 0x22) throw unexpected(byte, i, 'a field name in quotes');
    this.#stringIsKey = true;
    this.#state = 'string';
    return true;
  }

  #stepAfterValue(byte: number, i: number): boolean {
    if (isSpace(byte)) return true;
    const inObject = this.#open.at(-1) === 0x7b;
    if (byte === 0x2c) this.#state = inObject ? 'key' : 'value';
    else if (byte === (inObject ? 0x7d : 0x5d)) this.#close();
    else throw unexpected(byte, i, inObject ? 'a comma or }' : 'a comma or ]');
    return true;
  }

  #stepEscape(byte: number, i: number): boolean {
    if (byte === 0x75) {
      this.#digits = 4;
      this.#state = 'unicode';
    } else if ('"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      this.#state = 'string';
    } else {
      throw unexpected(byte, i, 'an escape of JSON');
    }
    return true;
  }

  #stepNumber(byte: number, i: number): boolean {
    const digit = isDigit(byte);
    switch (this.#state) {
      case 'minus':
        if (!digit) throw unexpected(byte, i, 'a digit');
        this.#state = byte === 0x30 ? 'zero' : 'integer';
        return true;
      case 'point':
      case 'exponentSign':
        if (!digit) throw unexpected(byte, i, 'a digit');
        this.#state = this.#state === 'point' ? 'fraction' : 'exponentDigits';
        return true;
      case 'exponent':
        if (byte === 0x2b || byte === 0x2d) this.#state = 'exponentSign';
        else if (digit) this.#state = 'exponentDigits';
        else throw unexpected(byte, i, 'a digit');
        return true;
      case 'integer':
      case 'fraction':
      case 'exponentDigits':
        if (digit) return true;
    }
    const mayGoOn = this.#state === 'zero' || this.#state === 'integer';
    if (mayGoOn && byte === 0x2e) {
      this.#state = 'point';
      return true;
    }
    if ((mayGoOn || this.#state === 'fraction') && (byte | 0x20) === 0x65) {
      this.#state = 'exponent';
      return true;
    }
    this.#endValue();
    return false;
  }

  #close(): void {
    this.#open.pop();
    this.#endValue();
  }

  #endValue(): void {
    this.#state = this.#open.length === 0 ? 'done' : 'afterValue';
  }
}

/** Where a text stops being JSON, as a position in the scanned bytes. */
export class JsonSyntaxError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

function unexpected(byte: number, position: number, expected: string): JsonSyntaxError {
  const shown =
    byte > 0x20 && byte < 0x7f
      ? `"${String.fromCharCode(byte)}"`
      : byte === 0x0a
        ? 'the end of the line'
        : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  return new JsonSyntaxError(`expected ${expected}, found ${shown}`, position);
}
