/** What comes with an installation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

describe('dependencies', () => {
  const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>).filter(
    ([path]) => path !== '',
  );

  it('run nothing when they are installed, but for one that is optional and not needed', () => {
    const scripts = packages.filter(([, { dev, hasInstallScript }]) => hasInstallScript === true && dev !== true);
    expect(scripts.map(([path, { optional }]) => [path, optional])).toEqual([['node_modules/msgpackr-extract', true]]);
  });

  it('are pinned, each to one version', () => {
    expect(packages.length).toBeGreaterThan(10);
    for (const [path, { version }] of packages) expect(version, path).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('of the package itself: it runs nothing when it is installed from a registry', () => {
    const scripts = Object.keys(read('package.json').scripts);
    for (const name of ['preinstall', 'install', 'postinstall']) expect(scripts).not.toContain(name);
  });
});
