/** A record must not look like two, nor like another one, to whatever reads the output. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printed } from '../cli/record-format/support.js';
import { runs } from '../support/properties.js';

const text = fc.oneof(
  fc.constantFrom(
    '\n',
    '\r\n',
    '\0',
    '"',
    '""',
    ',',
    '\t',
    '"\n"',
    '},{',
    '\u2028',
    '=1+1',
    '\ud800',
    '\\n',
    '{"a":1}\n{"b":2}',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const record = fc.record({
  key: fc.option(text),
  value: fc.option(text),
  headers: fc.array(fc.tuple(text, fc.option(text)), { maxLength: 2 }),
});
const records = fc.array(record, { minLength: 1, maxLength: 4 });
const RUNS = { numRuns: runs(400) };

/** RFC 4180. */
function parseCsv(source: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at < source.length) {
    const row = rows.at(-1)!;
    let field = '';
    if (source[at] === '"') {
      for (at++; ; at++) {
        if (at >= source.length) throw new Error('a quote that is not closed');
        if (source[at] !== '"') field += source[at];
        else if (source[at + 1] === '"') field += source[at++];
        else break;
      }
      at++;
    } else {
      while (at < source.length && source[at] !== ',' && source[at] !== '\n' && source[at] !== '\r')
        field += source[at++];
    }
    row.push(field);
    if (source[at] === '\r') at++;
    if (source[at] === '\n') rows.push([]);
    else if (at < source.length && source[at] !== ',') throw new Error(`"${source[at]}" behind a field`);
    at++;
  }
  if (rows.at(-1)!.length === 0) rows.pop();
  return rows;
}

describe('as many lines as records', () => {
  it.each(['json', 'jsonl'])('%s: each line is one JSON object', (format) => {
    fc.assert(
      fc.property(records, (all) => {
        const out = printed(all, { format }).toString();
        const lines = out.split('\n').filter((line) => line !== '');
        expect(lines.length).toBe(all.length);
        for (const line of lines) expect(JSON.parse(line)).toMatchObject({});
      }),
      RUNS,
    );
  });

  it('csv: as many rows as records, each with as many fields', () => {
    fc.assert(
      fc.property(records, (all) => {
        const rows = parseCsv(printed(all, { format: 'csv' }).toString());
        expect(rows.length).toBe(all.length);
        expect(new Set(rows.map(({ length }) => length)).size).toBe(1);
      }),
      RUNS,
    );
  });

  it('tsv: a line a record, as many tabs in each', () => {
    fc.assert(
      fc.property(records, (all) => {
        const lines = printed(all, { format: 'tsv' }).toString().split('\n').slice(0, -1);
        expect(lines.length).toBe(all.length);
        expect(new Set(lines.map((line) => line.split('\t').length)).size).toBe(1);
      }),
      RUNS,
    );
  });

  it('a value alone, by NUL: a value with a newline stays one', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '"') }), { minLength: 1 }), (values) => {
        const out = printed(
          values.map((value) => ({ value })),
          { delimiter: Buffer.from([0]) },
        ).toString();
        expect(out.split('\0').slice(0, -1)).toEqual(values);
      }),
      RUNS,
    );
  });
});
