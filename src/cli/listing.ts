import type { CliContext } from './cli-context.js';
import { type Style, styleFor } from './style.js';
import { escapeLine } from './terminal-text.js';

export interface Column<Row> {
  readonly heading: string;
  readonly value: (row: Row) => string | number;
  /** Numbers stand at the right. Default left. */
  readonly align?: 'left' | 'right';
}

export interface TableOptions {
  /** With headings and aligned columns even where there is no terminal: for pages, not for lists. Default false. */
  readonly asPage?: boolean;
  readonly noHeadings?: boolean;
}

/**
 * Rows on standard output. On a terminal: headings and aligned columns. Elsewhere: a row per line, columns separated by
 * tabs, no headings, so that `cut -f1` and `wc -l` mean what they say.
 */
export async function printTable<Row>(
  context: Pick<CliContext, 'stdout' | 'env'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions = {},
): Promise<void> {
  const { stdout } = context;
  const cell = (column: Column<Row>, row: Row) => escapeLine(String(column.value(row)));
  if (!stdout.isTerminal && options.asPage !== true) {
    let text = '';
    for (const row of rows) {
      let separator = '';
      for (const column of columns) {
        text += separator + cell(column, row);
        separator = '\t';
      }
      text += '\n';
    }
    stdout.appendText(text);
    return;
  }
  if (rows.length === 0 && options.asPage !== true) return;
  const cells = rows.map((row) => columns.map((column) => cell(column, row)));
  const headings = options.noHeadings ? undefined : columns.map((column) => column.heading);
  const style = await styleFor(context.stdout, context.env);
  const isPlain = cells.every((line) => line.every((cell) => PLAIN.test(cell)));
  const render = isPlain ? renderPlain : renderMeasured;
  stdout.appendText(await render(columns, headings, cells, style));
}

/** Each character is as wide as any other. */
const PLAIN = /^[ -~]*$/;

/** A thousand rows in a millisecond; measured, they take a third of a second. */
function renderPlain<Row>(
  columns: readonly Column<Row>[],
  headings: readonly string[] | undefined,
  cells: readonly string[][],
  style: Style,
): string {
  const all = headings === undefined ? cells : [headings, ...cells];
  const widths = columns.map((_, i) => all.reduce((width, line) => Math.max(width, line[i]!.length), 0));
  const row = (line: readonly string[], show: (cell: string) => string) => {
    const padded = line.map((cell, i) => {
      const blank = ' '.repeat(widths[i]! - cell.length);
      return columns[i]!.align === 'right' ? blank + show(cell) : show(cell) + blank;
    });
    return `${padded.join('  ').trimEnd()}\n`;
  };
  const head = headings === undefined ? '' : row(headings, style.heading);
  return head + cells.map((line) => row(line, String)).join('');
}

/** cli-table3 measures wide characters right; it is loaded for those only. */
async function renderMeasured<Row>(
  columns: readonly Column<Row>[],
  headings: readonly string[] | undefined,
  cells: readonly string[][],
  style: Style,
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const none = '';
  const table = new Table({
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: '  ',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: columns.map((column) => column.align ?? 'left'),
  });
  if (headings !== undefined) table.push(headings.map((heading) => style.heading(heading)));
  for (const line of cells) table.push([...line]);
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** One JSON document: indented for people, one line for programs. */
export function printJson(context: Pick<CliContext, 'stdout'>, document: unknown): void {
  context.stdout.appendText(`${JSON.stringify(document, undefined, context.stdout.isTerminal ? 2 : undefined)}\n`);
}

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
