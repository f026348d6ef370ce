import type { TopicConfigEntry, TopicConfigs } from '../../clients/admin.js';

export interface ConfigDifference {
  readonly name: string;
  readonly from: string;
  /** The word `default` where a config goes back to it. */
  readonly to: string;
}

/** What a change does to the effective configs; `after` holds those that will be set on the topic. */
export function configDifferences(before: readonly TopicConfigEntry[], after: TopicConfigs): ConfigDifference[] {
  return before.flatMap(({ name, value, source }) => {
    const next = after[name];
    if (next === undefined) return source === 'topic' ? [{ name, from: value, to: 'default' }] : [];
    return next === value ? [] : [{ name, from: value, to: next }];
  });
}

/** Kafka's defaults, for configs that go back to them: a topic that sets a config does not tell its default. */
const DEFAULTS = { 'retention.ms': '604800000', 'retention.bytes': '-1', 'cleanup.policy': 'delete' } as const;

type RetentionConfig = keyof typeof DEFAULTS;

/** Whether records may be deleted that the configs before would have kept. */
export function shortensRetention(before: readonly TopicConfigEntry[], after: TopicConfigs): boolean {
  const beforeValue = (name: RetentionConfig) => before.find((entry) => entry.name === name)?.value ?? DEFAULTS[name];
  const afterValue = (name: RetentionConfig) => {
    const entry = before.find((one) => one.name === name);
    return after[name] ?? (entry?.source === 'default' ? entry.value : DEFAULTS[name]);
  };
  return (['retention.ms', 'retention.bytes'] as const).some(
    (name) => limit(name, afterValue) < limit(name, beforeValue),
  );
}

function limit(name: RetentionConfig, configOf: (name: RetentionConfig) => string): number {
  const deletes = configOf('cleanup.policy').split(',').includes('delete');
  const value = Number(configOf(name));
  return deletes && value >= 0 ? value : Number.POSITIVE_INFINITY;
}
