/** YAML of users and of nobody in particular, at a cost that grows with its length and no faster. */
import type { CST, Document, LineCounter } from 'yaml';

/** What is nested deeper is none of ours; the package would go as deep by recursion. */
const MOST_LEVELS = 100;
/** Of keys, each with all others of its map: as many as a map of two thousand needs. */
const MOST_COMPARISONS = 2_000_000;

/** The first thing that is wrong. Of the text the message shows single words at most. */
export class YamlProblem extends Error {
  readonly line: number | undefined;

  constructor(message: string, line: number | undefined, cause?: unknown) {
    super(message, { cause });
    this.name = 'YamlProblem';
    this.line = line;
  }
}

export interface YamlText {
  readonly document: Document;
  readonly lines: LineCounter;
}

/**
 * Like `parseDocument` of the package, which dresses up each error with the line it is in before anybody asks (seconds
 * for a few kilobytes of brackets), and which can end the process where a few thousand of them are nested.
 *
 * @param intAsBigInt 64-bit numbers keep every digit; default false
 * @throws YamlProblem
 */
export async function parseYaml(text: string, { intAsBigInt = false } = {}): Promise<YamlText> {
  const { Composer, isScalar, Lexer, LineCounter, Parser } = await import('yaml');
  const lines = new LineCounter();
  const lineAt = (position: number): number => lines.linePos(position).line;

  function* tokens(): Generator<CST.Token> {
    const parser = new Parser(lines.addNewLine);
    lines.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      for (const token of parser.next(lexeme)) {
        // Thousands may follow it, and one is enough.
        if (token.type === 'error') throw new YamlProblem(token.message, lineAt(token.offset));
        yield token;
      }
      if (parser.stack.length <= MOST_LEVELS) continue;
      throw new YamlProblem(`nested more than ${MOST_LEVELS} levels deep`, lineAt(parser.offset));
    }
    yield* parser.end();
  }

  let comparisons = 0;
  const uniqueKeys = (a: unknown, b: unknown): boolean => {
    if (++comparisons > MOST_COMPARISONS) throw new YamlProblem('too many keys in a map', undefined);
    return a === b || (isScalar(a) && isScalar(b) && a.value === b.value);
  };
  const composer = new Composer({ intAsBigInt, uniqueKeys, logLevel: 'error', prettyErrors: false });
  const [document, another] = composer.compose(tokens(), true, text.length);
  const [error] = document!.errors;
  if (error !== undefined) throw new YamlProblem(error.message, lineAt(error.pos[0]), error);
  if (another !== undefined) throw new YamlProblem('more than one document', lineAt(another.range[0]));
  return { document: document!, lines };
}
