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

/** `key=value` or `key:value` of `-H`, split at whichever comes first; nothing else is touched, no space trimmed. */
export function parseHeader(text: string): HeaderValue {
  const at = text.search(/[=:]/);
  if (at === 0 || text === '') throw new KlogError('KLOG_USAGE', `'${text}' has no header key`);
  return at < 0 ? { key: text, value: null } : { key: text.slice(0, at), value: text.slice(at + 1) };
}
