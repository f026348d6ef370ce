/** The independent readers: scripts of test/oracle, run by the interpreter that sees Debian's packages. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PYTHON = '/usr/bin/python3';
const NEEDED = 'import kafka.record.default_records, lz4.frame, snappy, zstandard, xxhash';
const scriptPath = (name: string) => fileURLToPath(new URL(`../../test/oracle/${name}`, import.meta.url));

/** One line of what read_segment.py prints: `batch`, `record`, `error` or, behind each file, `end`. */
export type SegmentLine = Readonly<Record<string, unknown>> & { readonly type: string };

/** What read_aux.py prints of a file; `kind` and the rest depend on its name. */
export type SideFile = Readonly<Record<string, unknown>> & { readonly file: string };

/** What is missing for the readers to run, in Python's words; undefined: nothing. */
export function missingPackages(): string | undefined {
  const { status, stderr, error } = spawnSync(PYTHON, ['-c', NEEDED], { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? 'unknown');
}

export function segmentLines(files: readonly string[]): AsyncGenerator<SegmentLine> {
  return jsonLines<SegmentLine>('read_segment.py', files);
}

export async function sideFiles(files: readonly string[]): Promise<SideFile[]> {
  const found: SideFile[] = [];
  for await (const file of jsonLines<SideFile>('read_aux.py', files)) found.push(file);
  return found;
}

async function* jsonLines<T>(script: string, files: readonly string[]): AsyncGenerator<T> {
  const child = spawn(PYTHON, [scriptPath(script), ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as T;
  const status = await ended;
  if (status !== 0) throw new Error(`${script} failed with ${status}: ${complaint.trim()}`);
}
