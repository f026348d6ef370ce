/** Kafka's own tool: the jars that Maven finds by test/kafka/pom.xml, and DumpLogSegments run on files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const POM = resolve(import.meta.dirname, '../../test/kafka/pom.xml');
const LARGEST_OUTPUT = 1 << 30;

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class KafkaTool {
  readonly #classPath: string;

  private constructor(classPath: string) {
    this.#classPath = classPath;
  }

  /** Fetches the jars unless they are in Maven's repository already. A machine with Maven that cannot is a failure. */
  static fetch(): KafkaTool {
    const folder = mkdtempSync(join(tmpdir(), 'klog-kafka-jars-'));
    try {
      const list = join(folder, 'class-path');
      const goal = ['dependency:build-classpath', `-Dmdep.outputFile=${list}`];
      const { code, out, err } = run('mvn', ['-q', '-B', '-Dstyle.color=never', '-f', POM, ...goal]);
      if (code !== 0) throw new Error(`Maven has not found Kafka's jars:\n${out}${err}`);
      return new KafkaTool(readFileSync(list, 'utf8').trim());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  version(): string {
    return this.dumpLog(['--version']).out.trim();
  }

  dumpLog(args: readonly string[]): Printed {
    const utf8 = ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8', '-Dsun.stdout.encoding=UTF-8'];
    return run('java', [...utf8, '-cp', this.#classPath, 'kafka.tools.DumpLogSegments', ...args]);
  }
}

/** Why there is no Kafka to ask here; undefined: there is. */
export function whyNoKafka(): string | undefined {
  for (const [program, argument] of [
    ['java', '-version'],
    ['mvn', '-v'],
  ] as const) {
    const { error, status } = spawnSync(program, [argument], { stdio: 'ignore' });
    if (error !== undefined) return `there is no ${program} (${error.message})`;
    if (status !== 0) return `${program} ${argument} ends with ${status}`;
  }
  return undefined;
}

export function run(file: string, args: readonly string[], input = ''): Printed {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    input,
    encoding: 'utf8',
    maxBuffer: LARGEST_OUTPUT,
  });
  if (error !== undefined) throw error;
  return { code: status ?? -1, out: stdout, err: stderr };
}
