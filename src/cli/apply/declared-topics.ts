/** The file of `topic apply`: which topics there should be. YAML or JSON, which is YAML too. */
import type { Document, LineCounter, Node } from 'yaml';
import type { TopicConfigs } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import { parseYaml, YamlProblem } from '../yaml-text.js';

export interface DeclaredTopic {
  readonly name: string;
  /** Undefined: as it is, one for a new topic. */
  readonly partitions: number | undefined;
  /** All that are to be set, others go back to their defaults. Undefined: as they are. */
  readonly configs: TopicConfigs | undefined;
}

/** What `--schema` prints. */
export const DECLARED_TOPICS_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Topics declared for klog topic apply',
  type: 'object',
  required: ['topics'],
  additionalProperties: false,
  properties: {
    topics: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' },
          partitions: {
            type: 'integer',
            minimum: 1,
            description: 'The total, never fewer than there are. Left out: as it is, one for a new topic.',
          },
          configs: {
            type: 'object',
            description:
              "Topic configs by Kafka's names. Those not named go back to their defaults. Left out: as they are.",
            additionalProperties: {
              anyOf: [{ type: ['string', 'number', 'boolean'] }, { type: 'array', items: { type: 'string' } }],
            },
          },
        },
      },
    },
  },
} as const;

type Path = readonly (string | number)[];

/** @throws KlogError KLOG_BAD_INPUT with the line */
export async function parseDeclaredTopics(text: string, file: string): Promise<DeclaredTopic[]> {
  try {
    const { document, lines } = await parseYaml(text, { intAsBigInt: true });
    return new DeclaredTopicsReader(document, lines, file).read();
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    throw new KlogError('KLOG_BAD_INPUT', error.message, { file, line: error.line, cause: error });
  }
}

class DeclaredTopicsReader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;

  constructor(document: Document, lines: LineCounter, file: string) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
  }

  read(): DeclaredTopic[] {
    const root = this.#fields(this.#toJS(), [], ['topics']);
    if (!Array.isArray(root.topics)) throw this.#bad('topics must be a list', ['topics']);
    const seen = new Map<string, string>();
    return root.topics.map((value: unknown, index) => {
      const topic = this.#topic(value, ['topics', index]);
      const { name } = topic;
      // Kafka's metrics do not tell "." and "_" apart, so only one of two such names may be made.
      const folded = name.replaceAll('.', '_');
      const other = seen.get(folded);
      if (other !== undefined) {
        const problem = other === name ? 'is declared twice' : `collides with topic '${other}'`;
        throw this.#bad(`topic '${name}' ${problem}`, ['topics', index, 'name']);
      }
      seen.set(folded, name);
      return topic;
    });
  }

  #toJS(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      // An alias of nothing, or so many that a few lines would become gigabytes.
      throw new KlogError('KLOG_BAD_INPUT', (cause as Error).message, { file: this.#file, cause });
    }
  }

  #topic(value: unknown, path: Path): DeclaredTopic {
    const { name, partitions, configs } = this.#fields(value, path, ['name', 'partitions', 'configs']);
    if (typeof name !== 'string') throw this.#bad('name must be text', [...path, 'name']);
    return {
      name,
      partitions: partitions === undefined ? undefined : this.#partitions(partitions, [...path, 'partitions']),
      configs: configs === undefined ? undefined : this.#configs(configs, [...path, 'configs']),
    };
  }

  #partitions(value: unknown, path: Path): number {
    const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < 1) throw this.#bad('partitions must be a number of at least 1', path);
    return number;
  }

  #configs(value: unknown, path: Path): TopicConfigs {
    if (!isRecord(value)) throw this.#bad('configs must be names and values', path);
    const entries = Object.entries(value).map(([name, config]) => {
      const text = configText(config);
      if (text === undefined) throw this.#bad(`config ${name} must be text, a number or a list`, [...path, name]);
      return [name, text] as const;
    });
    return Object.fromEntries(entries);
  }

  /** A map with no other names than these. */
  #fields<Name extends string>(value: unknown, path: Path, names: readonly Name[]): Partial<Record<Name, unknown>> {
    if (!isRecord(value)) throw this.#bad(`${where(path)} must have ${names.join(', ')}`, path);
    const unknown = Object.keys(value).find((name) => !names.includes(name as Name));
    if (unknown === undefined) return value as Partial<Record<Name, unknown>>;
    throw this.#bad(`${where(path)} has no '${unknown}'`, [...path, unknown], `What it may have: ${names.join(', ')}`);
  }

  #bad(message: string, path: Path, hint?: string): KlogError {
    return new KlogError('KLOG_BAD_INPUT', message, { file: this.#file, line: this.#lineOf(path), hint });
  }

  /** Of what stands there, or of the nearest thing around it. */
  #lineOf(path: Path): number | undefined {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = this.#document.getIn(path.slice(0, depth), true) as Node | undefined;
      if (node?.range) return this.#lines.linePos(node.range[0]).line;
    }
    return undefined;
  }
}

function where(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.length === 2 ? `topic ${Number(path[1]) + 1}` : path.join('.');
}

function configText(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map(configText);
    return items.every((item) => item !== undefined) ? items.join(',') : undefined;
  }
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
