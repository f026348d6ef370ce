import type { Flaw } from './load-with-flaw.js';

type Change = Pick<Flaw, 'find' | 'replace'> & { readonly file: string };

/**
 * The wrong variants of the storage protocol that its models catch, as changes of the source: the name is that of the
 * model's `-DBROKEN_…`. When a test says that one is out of date, find the place that the rule has moved to; do not
 * drop the flaw.
 */
const CHANGES: Readonly<
  Record<'core' | 'roll' | 'topic' | 'decide', Readonly<Record<string, Change | readonly Change[]>>>
> = {
  core: {
    NO_BOOT: {
      file: 'storage/log-context.ts',
      find: 'return isOfThisBoot(context, safe) && !isOdd',
      replace: 'return !isOdd',
    },
    NO_CUT_COUNT: [
      { file: 'storage/log-sync.ts', find: 'safe.cutCount === cutCount && ', replace: '' },
      { file: 'storage/log-sync.ts', find: 'if (now === cutCount) return cutCount;', replace: 'return now;' },
    ],
    LOCK_ORDER: {
      file: 'storage/log-sync.ts',
      find: 'if (!leaderDied && covers(context, await lead(context, state), appended, cutCount)) return;',
      replace: `if (!leaderDied) await lead(context, state);
        else {
          await locks.append.acquire();
          await settleIfNeeded(context);
          locks.append.release();
          continue;
        }`,
    },
    SETTLE_NO_FLAG: {
      file: 'storage/log-settle.ts',
      find: `const { control, segments } = context;
  await control.setSyncing(true);`,
      replace: 'const { control, segments } = context;',
    },
    FOLLOWER_TEXT: { file: 'storage/log-context.ts', find: '!state.syncing &&', replace: '' },
    NO_RECHECK: {
      file: 'storage/safe-view.ts',
      find: 'if (again?.sequence === safe?.sequence && sameBoot(again, safe)) return view;',
      replace: 'return view;',
    },
    TORN_IS_NONE: [
      {
        file: 'storage/safe-view.ts',
        find: 'safe === undefined && !(await this.#isTornForGood(control))',
        replace: 'false',
      },
      {
        file: 'storage/safe-view.ts',
        find: 'if (again?.sequence === safe?.sequence && sameBoot(again, safe)) return view;',
        replace: 'return view;',
      },
    ],
    NO_SYNCING: {
      file: 'storage/log-sync.ts',
      find: `await control.setSyncing(true);
  const segment`,
      replace: 'const segment',
    },
    PUBLISH_FIRST: {
      file: 'storage/log-sync.ts',
      find: 'await syncing(context, () => segment.log.sync());',
      replace: `await control.writeSafe({ ...covered, bootId: context.bootId, identity: control.identity });
  await syncing(context, () => segment.log.sync());`,
    },
    COPY_LATE: {
      file: 'storage/log-sync.ts',
      find: 'const checkpoint = isCheckpointDue(',
      replace: `Object.assign(covered, await copyOfAppended(context, await control.read()));
  const checkpoint = isCheckpointDue(`,
    },
    NO_REWRITE: { file: 'storage/log-settle.ts', find: 'await scanner.rewriteBatch();', replace: '' },
    S_NO_LOCK: [
      {
        file: 'storage/log-sync.ts',
        find: 'if (!(await acquireUnlessLed(context, appended, cutCount))) {',
        replace: 'if (cutCount < 0) {',
      },
      {
        file: 'storage/log-sync.ts',
        find: `locks.sync.release();
      locks.gates.letGo();
    }
    if (leaderDied)`,
        replace: `}
    if (leaderDied)`,
      },
    ],
    NO_SETTLE: {
      file: 'storage/log-settle.ts',
      find: 'if (isAppendable(context, state, logSize)) return state;',
      replace: 'if (state.appended !== undefined) return state;',
    },
    ACK_WRITTEN: {
      file: 'storage/partition-log.ts',
      find: 'await awaitDurable(this.#context, appended);',
      replace: 'void awaitDurable(this.#context, appended).catch(() => {});',
    },
    ONE_SLOT: {
      file: 'storage/control-file.ts',
      find: 'const slot = newest === 0 ? 1 : 0;',
      replace: 'const slot = newest === 0 ? 0 : 1;',
    },
    READER_AT_A: {
      file: 'storage/safe-view.ts',
      find: '|| looks === LOOKS - 1) return viewOf(safe, state);',
      replace: `|| looks === LOOKS - 1) {
          return viewOf({ ...(state.appended ?? safe), layoutVersion: safe.layoutVersion }, state);
        }`,
    },
    CUT_AT_S: {
      file: 'storage/log-settle.ts',
      find: 'while ((await scanner.next()) && (await scanner.isValid())) {',
      replace: 'while (origin === undefined && (await scanner.next())) {',
    },
    TRUST_A: {
      file: 'storage/log-settle.ts',
      find: 'const origin = startingPoint(context, safe, bases);',
      replace: `const origin = startingPoint(
    context,
    safe && appended && { ...appended, bootId: safe.bootId, identity: safe.identity },
    bases,
  );`,
    },
    SETTLE_NO_SYNC: { file: 'storage/log-settle.ts', find: 'await syncAll(context, walked);', replace: '' },
  },
  roll: {
    ROLL_NO_FLAG: {
      file: 'storage/log-roll.ts',
      find: `await control.setSyncing(true);
    const old`,
      replace: 'const old',
    },
    ROLL_CREATE_FIRST: {
      file: 'storage/log-roll.ts',
      find: 'await syncing(context, () => old.log.sync());',
      replace: `await segments.create(appended.offset);
    await syncing(context, () => old.log.sync());`,
    },
    ODD_FORGOTTEN: { file: 'storage/log-context.ts', find: '&& !isOdd(safe.layoutVersion) &&', replace: '&&' },
    ROLL_NO_SYNC: { file: 'storage/log-roll.ts', find: 'await syncing(context, () => old.log.sync());', replace: '' },
    NO_DIR_FSYNC: {
      file: 'storage/log-roll.ts',
      find: 'await syncing(context, () => context.fs.syncDirectory(context.directory));',
      replace: '',
    },
    STALE_FD: {
      file: 'storage/log-sync.ts',
      find: 'const segment = await segments.get(covered.segmentBase);',
      replace: `const first = context as { firstOpened?: Awaited<ReturnType<typeof segments.get>> };
  first.firstOpened ??= await segments.get(covered.segmentBase);
  const segment = first.firstOpened;`,
    },
    SETTLE_ONE_SEGMENT: {
      file: 'storage/log-settle.ts',
      find: 'walked.push(segment);',
      replace: 'walked.push(segment); break;',
    },
  },
  topic: {
    DELETE_NO_LOCKS: {
      file: 'storage/hold-partition.ts',
      find: 'for (const lock of [locks.queue, locks.append, locks.sync]) {',
      replace: 'for (const lock of [locks.queue].slice(1)) {',
    },
    NO_INODE_CHECK: {
      file: 'storage/partition-log.ts',
      find: 'if (await control.isCurrent(fs)) return;',
      replace: 'if (control !== undefined) return;',
    },
  },
  /** Of the conditional append: no model has them, the group model takes it as one step. */
  decide: {
    DECIDE_AT_S: {
      file: 'storage/log-append.ts',
      find: 'await decide(await tail.at(state))',
      replace:
        'await decide(await tail.at({ ...state, appended: { ...state.safe, cutCount: state.appended.cutCount } }))',
    },
    DECIDE_THEN_LOCK: {
      file: 'storage/partition-log.ts',
      find: 'return await this.#underAppendLock((onRoll) => appendDecided(this.#context, tail, decide, onRoll));',
      replace: `const early = await appendDecided({ ...this.#context, failure: undefined }, tail, async (end) => {
      const batches = await decide(end);
      throw { batches };
    }, () => {}).catch((error) => error.batches);
      return early.length === 0 ? undefined : this.append(early);`,
    },
    TAIL_OF_OLD_LAYOUT: {
      file: 'storage/log-decide.ts',
      find: 'if (!isSameLayout || view.cutCount !== last.cutCount) {',
      replace: 'if (last === undefined || view.cutCount !== last.cutCount) {',
    },
  },
};

/** The changes that make up one flaw. */
export function flaw(model: keyof typeof CHANGES, name: string): readonly Flaw[] {
  const changes = CHANGES[model][name];
  if (changes === undefined) throw new Error(`no flaw ${name} in ${model}`);
  return [changes].flat().map((change) => ({ name, model, ...change }));
}

export function flawNames(model: keyof typeof CHANGES): string[] {
  return Object.keys(CHANGES[model]);
}
