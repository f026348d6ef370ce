/** All partitions of a directory before both dumps. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaTool, Printed } from './kafka-tool.js';
import { indexEntryInKafkasWords, logInKafkasWords } from './kafka-words.js';
import type { KlogCommand } from './klog-command.js';

export interface Comparison {
  readonly partition: string;
  readonly differences: string[];
  batches: number;
  records: number;
  segments: number;
  indexEntries: number;
}

const LOG_INTRO = /^Log starting offset: /;
const SHOWN_BYTES = 300;

export function compareLogs(klog: KlogCommand, kafka: KafkaTool): Comparison[] {
  const logDirectory = join(klog.directory, 'log');
  const partitions = readdirSync(logDirectory).filter((name) => statSync(join(logDirectory, name)).isDirectory());
  const found = new Map<string, Comparison>();
  for (const partition of partitions.sort()) {
    found.set(partition, { partition, differences: [], batches: 0, records: 0, segments: 0, indexEntries: 0 });
  }
  const of = (file: string) => found.get(file.split('/').at(-2)!)!;
  const files = partitions.flatMap((name) =>
    readdirSync(join(logDirectory, name))
      .sort()
      .map((file) => join(logDirectory, name, file)),
  );
  const ending = (...ends: string[]) => files.filter((file) => ends.some((end) => file.endsWith(end)));
  const emptied = compareSegments(klog, kafka, ending('.log'), of);
  compareIndexes(klog, kafka, ending('.index', '.timeindex'), emptied, of);
  checkIndexes(kafka, ending('.index', '.timeindex'), of);
  compareSnapshots(klog, kafka, ending('.snapshot'), of);
  return [...found.values()];
}

type Of = (file: string) => Comparison;

function compareSegments(klog: KlogCommand, kafka: KafkaTool, files: readonly string[], of: Of): Set<string> {
  const printed = kafka.dumpLog(['--deep-iteration', '--print-data-log', '--files', files.join(',')]);
  const theirs = sections(mustEnd(printed));
  const ours = byFile(klog.run(['log', 'dump', '--json', '--records', ...files]).out);
  const ourText = sections(klog.run(['log', 'dump', '--records', ...files]).out);
  const expectedComplaints: string[] = [];
  const emptied = new Set<string>();
  for (const file of files) {
    const comparison = of(file);
    const expected = logInKafkasWords(ours.get(file) ?? []);
    const said = (theirs.get(file) ?? '').split('\n');
    if (!LOG_INTRO.test(said[0]!)) comparison.differences.push(`${file}: Kafka begins with ${said[0]}`);
    compareText(comparison, `${file}, as JSON`, expected.lines.join('\n'), said.slice(1).join('\n'));
    compareText(comparison, `${file}, as text`, ourText.get(file) ?? '', said.join('\n'));
    comparison.batches += expected.batches;
    comparison.records += expected.records;
    comparison.segments++;
    for (const [last, next] of expected.jumps) {
      expectedComplaints.push(`Non-consecutive offsets in ${file}:   ${last} is followed by ${next}`);
    }
    for (const lastOffset of expected.emptied) emptied.add(`${withoutEnding(file)} ${lastOffset}`);
  }
  compareComplaints(of(files[0]!), expectedComplaints, printed.err);
  return emptied;
}

/**
 * Kafka prints each entry and holds it against the batch it leads to. Of a batch that compaction has emptied it looks
 * for the records' time, finds none, and says so, although its own cleaner keeps such headers and their time as well.
 */
function compareIndexes(
  klog: KlogCommand,
  kafka: KafkaTool,
  files: readonly string[],
  emptied: ReadonlySet<string>,
  of: Of,
): void {
  const printed = kafka.dumpLog(['--files', files.join(',')]);
  const theirs = sections(mustEnd(printed));
  const ours = byFile(klog.run(['log', 'dump', '--json', ...files]).out);
  const ourText = sections(klog.run(['log', 'dump', ...files]).out);
  const expectedComplaints: string[] = [];
  for (const file of files) {
    const comparison = of(file);
    const entries = ours.get(file) ?? [];
    // Of an empty offset index Kafka says so, of an empty time index it says nothing.
    const said = (theirs.get(file) ?? 'not dumped').replace(`${file} is empty.`, '');
    const text = (ourText.get(file) ?? '').replace(`${file} is empty.`, '');
    compareText(comparison, `${file}, as JSON`, entries.map(indexEntryInKafkasWords).join('\n'), said);
    compareText(comparison, `${file}, as text`, text, said);
    if (file.endsWith('.index')) comparison.indexEntries += entries.length;
    for (const { type, timestamp, offset } of entries) {
      if (type !== 'timeIndexEntry' || !emptied.has(`${withoutEnding(file)} ${offset}`)) continue;
      const complaint = `Index timestamp: ${timestamp}, log timestamp: -1`;
      expectedComplaints.push(`Found timestamp mismatch in :${file}:   ${complaint}`);
    }
  }
  compareComplaints(of(files[0]!), expectedComplaints, printed.err);
}

/** A complaint is a line that names the file, and indented ones that say what and where, in any order. */
function compareComplaints(comparison: Comparison, expected: readonly string[], said: string): void {
  const found: string[] = [];
  let about = '';
  for (const line of said.split('\n')) {
    if (line.startsWith('  ')) found.push(`${about}: ${line}`);
    else about = line;
    if (!line.startsWith('  ') && !/^$|^Non-consecutive offsets in |^Found timestamp mismatch in :/.test(line))
      found.push(line);
  }
  const missing = expected.filter((complaint) => !found.includes(complaint));
  const unexpected = found.filter((complaint) => !expected.includes(complaint));
  for (const complaint of unexpected) comparison.differences.push(`Kafka complains: ${complaint}`);
  for (const complaint of missing) comparison.differences.push(`Kafka does not complain: ${complaint}`);
}

function withoutEnding(file: string): string {
  return file.slice(0, file.lastIndexOf('.'));
}

/** The check that a broker makes at its start. */
function checkIndexes(kafka: KafkaTool, files: readonly string[], of: Of): void {
  const printed = kafka.dumpLog(['--index-sanity-check', '--files', files.join(',')]);
  const passed = new Set(mustEnd(printed).match(/^\S+(?= passed sanity check\.$| is empty\.$)/gm));
  for (const file of files) {
    if (!passed.has(file)) of(file).differences.push(`${file} has not passed the sanity check: ${printed.err}`);
  }
}

function compareSnapshots(klog: KlogCommand, kafka: KafkaTool, files: readonly string[], of: Of): void {
  if (files.length === 0) return;
  const theirs = sections(mustEnd(kafka.dumpLog(['--files', files.join(',')])));
  const ours = byFile(klog.run(['log', 'dump', '--json', ...files]).out);
  for (const file of files) {
    const entries = (theirs.get(file) ?? 'not dumped').split('\n').filter((line) => line !== '').length;
    const expected = ours.get(file)?.length ?? 0;
    if (entries !== expected)
      of(file).differences.push(`${file}: ${entries} producers for Kafka, ${expected} for klog`);
  }
}

function mustEnd({ code, out, err }: Printed): string {
  if (code !== 0) throw new Error(`DumpLogSegments ended with ${code}: ${out.slice(-2000)}${err}`);
  return out;
}

/** `Dumping FILE`, and what follows up to the next. */
function sections(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const section of text.split(/^Dumping (?=\/)/m).slice(1)) {
    const end = section.indexOf('\n');
    found.set(section.slice(0, end), section.slice(end + 1).trimEnd());
  }
  return found;
}

/** Records carry no file: they belong to the batch before them. */
function byFile(jsonLines: string): Map<string, Record<string, unknown>[]> {
  const found = new Map<string, Record<string, unknown>[]>();
  let file = '';
  for (const text of jsonLines.split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as Record<string, unknown>;
    if (typeof line.file === 'string') file = line.file;
    const lines = found.get(file) ?? [];
    if (lines.push(line) === 1) found.set(file, lines);
  }
  return found;
}

/** Java and Node do not put the same number of replacement characters for bytes that are no UTF-8. */
function comparable(text: string): string {
  return text.trimEnd().replaceAll(/\ufffd+/g, '\ufffd');
}

function compareText(comparison: Comparison, what: string, ours: string, theirs: string): void {
  const [our, their] = [comparable(ours), comparable(theirs)];
  if (our === their) return;
  const [ourLines, theirLines] = [our.split('\n'), their.split('\n')];
  const at = ourLines.findIndex((line, index) => line !== theirLines[index]);
  const line = at < 0 ? ourLines.length : at;
  const shown = (lines: string[]) => JSON.stringify(lines[line]?.slice(0, SHOWN_BYTES));
  comparison.differences.push(`${what}, line ${line + 1}: klog ${shown(ourLines)}, Kafka ${shown(theirLines)}`);
}
