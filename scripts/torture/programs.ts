/**
 * Builds the two programs the tools run, the scenarios and the judge, of the sources as they are or with a flaw in
 * them.
 */
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Flaw, plantFlaws } from '../../test/support/plant-flaws.js';
import { ROOT } from './run-tool.js';

export interface Programs {
  readonly scenario: string;
  readonly judge: string;
  /** Runs scenarios in memory, with faults. */
  readonly faults: string;
  /** The judge of those, as a module. */
  readonly judgeTree: string;
}

export async function buildPrograms(work: string, name: string, flaws: readonly Flaw[] = []): Promise<Programs> {
  const directory = join(work, 'programs');
  await mkdir(directory, { recursive: true });
  // Packages stay external, and are looked for from where the programs lie.
  const modules = join(directory, 'node_modules');
  if (!existsSync(modules)) await symlink(join(ROOT, 'node_modules'), modules, 'dir');
  const { plugin, assertPlanted } = plantFlaws(flaws);
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      [`${name}-scenario`]: 'test/crash/run-scenario.ts',
      [`${name}-judge`]: 'test/crash/check-server.ts',
      [`${name}-faults`]: 'test/crash/run-faults.ts',
      [`${name}-judge-tree`]: 'test/crash/rig/judge-tree.ts',
    },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
    plugins: [plugin],
  });
  assertPlanted();
  const program = (what: string) => join(directory, `${name}-${what}.mjs`);
  return {
    scenario: program('scenario'),
    judge: program('judge'),
    faults: program('faults'),
    judgeTree: program('judge-tree'),
  };
}
