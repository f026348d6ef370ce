import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Figures that README and RELIABILITY quote are those of the newest runs in bench/results. */
const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const results = readdirSync(join(root, 'bench/results')).sort();

/** Names begin with their date. */
function newest(ending: string): string {
  const name = results.findLast((one) => one.endsWith(ending));
  if (name === undefined) throw new Error(`bench/results has no file that ends in ${ending}`);
  return read(`bench/results/${name}`);
}

/** The rows of all tables of a page, cells without their padding. */
function rows(page: string): string[][] {
  const lines = page.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')));
}

/** The first row with these cells in front, as numbers by the heads of its table. */
function figures(page: string, ...front: readonly string[]): Record<string, number> {
  const all = rows(page);
  const at = all.findIndex((cells) => front.every((text, i) => cells[i + 1] === text));
  if (at < 0) throw new Error(`no row of ${front.join(', ')}`);
  const head = all.slice(0, at).findLastIndex((cells) => /^:?-+:?$/.test(cells[1]!)) - 1;
  return Object.fromEntries(all[head]!.map((name, i) => [name, Number.parseFloat(all[at]![i]!)]));
}

/** What the pattern's groups hold; lines may break anywhere in it. */
function quoted(page: string, pattern: RegExp): string[] {
  const found = pattern.exec(page.replaceAll(/\s+/g, ' '));
  if (found === null) throw new Error(`nothing like ${pattern.source}`);
  return found.slice(1);
}

const NUMBERS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'.split(' ');

describe('README', () => {
  const readme = read('README.md');
  const [name] = quoted(readme, /bench\/results\/(\d{4}-\d\d-\d\d-\S+-[0-9a-f]{7}\.md)/) as [string];

  it('quotes a whole run of the last day on which there was one', () => {
    const runs = results.filter((one) => /-[0-9a-f]{7}\.md$/.test(one));
    expect(runs).toContain(name);
    expect(name.slice(0, 10)).toBe(runs.at(-1)!.slice(0, 10));
  });

  it('says how fast that was', () => {
    const run = read(`bench/results/${name}`);
    const [into, out, start] = quoted(
      readme,
      /(\w+) million records a second through a pipe, (\w+) million out again, and a start that costs ([\d.]+) times/,
    ) as [string, string, string];
    const millions = (command: string) => Math.floor(figures(run, command)['M records/s']!);
    expect(NUMBERS.indexOf(into.toLowerCase())).toBe(millions('cat in | klog produce'));
    expect(NUMBERS.indexOf(out)).toBe(millions('klog consume > /dev/null'));
    expect(start).toBe(figures(run, 'klog produce of one record')['wall ratio']!.toFixed(1));
  });
});

describe('RELIABILITY', () => {
  const reliability = read('RELIABILITY.md');

  it('says what opening after a kill -9 took', () => {
    const recovery = newest('-recovery.md');
    const ms = (command: string, state: string) =>
      ['1M', '1G', '10G'].map((log) => figures(recovery, log, command, state).ms);
    const [produce, settled, consume] = [
      /after a kill -9: (\d+) ms at 1 MiB of log, (\d+) at 1 GiB, (\d+) at 10 GiB/,
      /\(settled: (\d+), (\d+), (\d+)\)/,
      /`consume` of the last: (\d+), (\d+), (\d+)/,
    ].map((pattern) => quoted(reliability, pattern).map(Number));
    expect(produce).toEqual(ms('produce of one record', 'after kill -9'));
    expect(settled).toEqual(ms('produce of one record', 'settled'));
    expect(consume).toEqual(ms('consume of the last record', 'after kill -9'));
  });

  it('says how soon another member took over', () => {
    const groups = newest('-groups.md');
    const [within, kills] = quoted(reliability, /99 of 100 are within (\d+) ms \(`bench\/results\/`, (\d+) kills\)/);
    const found = figures(groups, 'takeover after kill -9, p99').found!;
    expect(Number(within)).toBe(Math.round(found));
    expect(groups).toContain(`${kills} kills`);
  });
});
