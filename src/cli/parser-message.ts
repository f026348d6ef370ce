/** What parsers say, on its way to the user. */

/**
 * A parser's message without the piece of the text that it shows: a config file may hold passwords, and a record
 * anything. For the same reason its error is nobody's `cause`.
 */
export function withoutExcerpt(error: unknown): string {
  const message = (error as Error).message.replace(/,? (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/s, '');
  // YAML's go on with the lines around the place, and some name the word that is wrong behind a colon.
  return message.replace(/:?\n.*$/s, '').replace(/: .*$/, '');
}
