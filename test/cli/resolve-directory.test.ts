import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveDirectory } from '../../src/cli/resolve-directory.js';
import { setting } from '../../src/cli/settings.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

/** A home with a project in it; nothing above it is looked at. */
async function inProject(use: (home: string, project: string) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const home = realpathSync(directory);
    const project = join(home, 'work', 'project');
    mkdirSync(project, { recursive: true });
    await use(home, project);
  });
}

const resolveIn = (cwd: string, home: string, options = {}, env: Record<string, string> = {}) =>
  resolveDirectory(options, { cwd, env: { HOME: home, ...env } });

describe('resolveDirectory', () => {
  it('takes -d over KLOG_DIR over the config file over what it finds', () =>
    inProject(async (home, project) => {
      mkdirSync(join(project, '.klog'));
      expect(await resolveIn(project, home)).toEqual({
        directory: join(project, '.klog'),
        exists: true,
        from: 'search',
      });
      writeFileSync(join(project, 'klog.config.yaml'), 'dir: from-file\n');
      expect(await resolveIn(project, home)).toEqual({
        directory: join(project, 'from-file'),
        exists: false,
        from: 'config file',
      });
      const env = { KLOG_DIR: 'from-env' };
      expect((await resolveIn(project, home, {}, env)).directory).toBe(join(project, 'from-env'));
      expect((await resolveIn(project, home, { dir: '/flag' }, env)).directory).toBe('/flag');
    }));

  it('finds the nearest .klog above, up to $HOME', () =>
    inProject(async (home, project) => {
      mkdirSync(join(home, '.klog'));
      expect((await resolveIn(project, home)).directory).toBe(join(home, '.klog'));
      mkdirSync(join(home, 'work', '.klog'));
      expect((await resolveIn(project, home)).directory).toBe(join(home, 'work', '.klog'));
      expect(await resolveIn(project, project)).toEqual({
        directory: join(project, '.klog'),
        exists: false,
        from: 'search',
      });
    }));

  it('makes a relative dir of a config file relative to that file, found upward', () =>
    inProject(async (home, project) => {
      writeFileSync(join(home, 'work', 'klog.config.json'), '{"dir":"data"}');
      expect((await resolveIn(project, home)).directory).toBe(join(home, 'work', 'data'));
    }));

  it('reads ~/.config/klog/config.yaml where no nearer file says otherwise', () =>
    inProject(async (home, project) => {
      mkdirSync(join(home, '.config', 'klog'), { recursive: true });
      writeFileSync(join(home, '.config', 'klog', 'config.yaml'), 'dir: /personal\nacks: written\nformat: raw\n');
      const earlier = { cwd: project, env: { HOME: home } };
      const asIs = (text: string) => text;
      expect((await resolveDirectory({}, earlier)).directory).toBe('/personal');
      writeFileSync(join(project, 'klog.config.yaml'), 'format: hex\n');
      // A command looks once.
      expect(await setting('format', undefined, earlier, asIs)).toBe('raw');
      const context = { cwd: project, env: { HOME: home } };
      expect(await setting('format', undefined, context, asIs)).toBe('hex');
      expect(await setting('acks', undefined, context, asIs)).toBe('written');
      expect(await setting('acks', undefined, { ...context, env: { HOME: home, KLOG_ACKS: 'none' } }, asIs)).toBe(
        'none',
      );
      expect(await setting('acks', 'all', { ...context, env: { HOME: home, KLOG_ACKS: 'none' } }, asIs)).toBe('all');
    }));

  it.each(['dri: x\n', 'dir: [1]\n', '- x\n', 'dir: "\n'])('refuses the config file %j, and names it', (text) =>
    inProject(async (home, project) => {
      const file = join(project, 'klog.config.yaml');
      writeFileSync(file, text);
      await expect(resolveIn(project, home)).rejects.toMatchObject({ code: 'INVALID_CONFIG', place: { file } });
    }),
  );

  it('refuses a directory and a cluster at once, from the same place', () =>
    inProject(async (home, project) => {
      const both = { dir: 'a', brokers: 'b:9092' };
      await expect(resolveIn(project, home, both)).rejects.toMatchObject({ code: 'KLOG_USAGE' });
      const env = { KLOG_DIR: 'a', KLOG_BROKERS: 'b:9092' };
      await expect(resolveIn(project, home, {}, env)).rejects.toMatchObject({ code: 'KLOG_USAGE' });
      expect((await resolveIn(project, home, { dir: 'c' }, env)).directory).toBe(join(project, 'c'));
    }));

  it('says that a cluster is for later, and lets a flag win over it', () =>
    inProject(async (home, project) => {
      const env = { KLOG_BROKERS: 'b:9092' };
      await expect(resolveIn(project, home, {}, env)).rejects.toMatchObject({ code: 'KLOG_UNSUPPORTED' });
      await expect(resolveIn(project, home, { brokers: 'b:9092' })).rejects.toMatchObject({ code: 'KLOG_UNSUPPORTED' });
      expect((await resolveIn(project, home, { dir: 'c' }, env)).directory).toBe(join(project, 'c'));
    }));

  it('takes an empty variable as none, and refuses an empty flag', () =>
    inProject(async (home, project) => {
      expect((await resolveIn(project, home, {}, { KLOG_DIR: '', KLOG_BROKERS: '' })).from).toBe('search');
      await expect(resolveIn(project, home, { dir: '' })).rejects.toMatchObject({ code: 'KLOG_USAGE' });
    }));

  it('refuses a path below a file', () =>
    inProject(async (home, project) => {
      writeFileSync(join(project, 'file'), '');
      await expect(resolveIn(project, home, { dir: 'file/log' })).rejects.toMatchObject({ code: 'KLOG_BAD_DIRECTORY' });
    }));
});
