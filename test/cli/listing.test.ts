import { describe, expect, it } from 'vitest';
import { type Column, printTable, type TableOptions } from '../../src/cli/listing.js';
import type { Output } from '../../src/cli/output.js';

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { heading: 'NAME', value: ({ name }) => name },
  { heading: 'COUNT', value: ({ count }) => count, align: 'right' },
  { heading: 'NOTE', value: ({ note }) => note },
];

async function tableOf(rows: readonly Row[], options: TableOptions = {}, env: NodeJS.ProcessEnv = {}): Promise<string> {
  let text = '';
  const stdout = { isTerminal: true, appendText: (more: string) => (text += more) } as unknown as Output;
  await printTable({ stdout, env }, columns, rows, options);
  return text;
}

const rows: readonly Row[] = [
  { name: 'orders', count: 7, note: '' },
  { name: 'o', count: 12345678, note: 'a long one' },
];

describe('a table', () => {
  it('has columns as wide as what is in them, and no blanks at the end of a line', async () => {
    const env = { NO_COLOR: '1' };
    expect(await tableOf(rows, {}, env)).toBe(
      'NAME       COUNT  NOTE\norders         7\no       12345678  a long one\n',
    );
    expect(await tableOf([], { asPage: true }, env)).toBe('NAME  COUNT  NOTE\n');
    expect(await tableOf([], {}, env)).toBe('');
  });

  it.each([
    [{}, {}],
    [{ noHeadings: true }, {}],
    [{}, { NO_COLOR: '1' }],
  ])('of plain text is what it is where characters are measured: %j %j', async (options, env) => {
    const measured = await tableOf([...rows, { name: 'ü', count: 1, note: '-' }], options, env);
    const plain = await tableOf([...rows, { name: 'u', count: 1, note: '-' }], options, env);
    expect(plain).toBe(measured.replace('ü', 'u'));
  });

  it('measures wide characters', async () => {
    const table = await tableOf([...rows, { name: '注文', count: 1, note: '-' }], { noHeadings: true });
    expect(table).toContain('注文           1  -\n');
  });
});
