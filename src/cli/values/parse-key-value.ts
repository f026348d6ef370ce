import { KlogError } from '../../errors.js';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface HeaderValue {
  readonly key: string;
  /** Null for `-H key`, empty for `-H key=`. */
  readonly value: string | null;
}

/** `name=value` of `-c`, `--set` and the like: the value may be empty and may hold more `=`. */
export function parseConfig(text: string): KeyValue {
  const at = text.indexOf('=');
  if (at <= 0) throw new KlogError('KLOG_USAGE', `'${text}' is not name=value`);
  return { key: text.slice(0, at).trim(), value: text.slice(at + 1) };
}

/** `name=value` of `--property`, several: nothing is trimmed, since a separator may be a space. */
export function parseProperties(properties: readonly string[]): Record<string, string> {
  const parsed: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const property of properties) {
    const equals = property.indexOf('=');
    if (equals <= 0) throw new KlogError('KLOG_USAGE', `--property: '${property}' is not name=value`);
    parsed[property.slice(0, equals)] = property.slice(equals + 1);
  }
  return parsed;
}

/** `key=value` or `key:value` of `-H`, split at whichever comes first; nothing else is touched, no space trimmed. */
export function parseHeader(text: string): HeaderValue {
  const at = text.search(/[=:]/);
  if (at === 0 || text === '') throw new KlogError('KLOG_USAGE', `'${text}' has no header key`);
  return at < 0 ? { key: text, value: null } : { key: text.slice(0, at), value: text.slice(at + 1) };
}
