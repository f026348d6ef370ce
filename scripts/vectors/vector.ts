/** One entry of a `vectors.json`, and what running it can come to. */
export interface Vector {
  readonly kind: string;
  /** Of kinds that are one file. */
  readonly file?: string;
  /** Of kinds that are a directory. */
  readonly dir?: string;
  /** The file that holds what must come out. */
  readonly expected?: string;
  readonly encoder?: string;
  readonly size?: number;
  readonly sha256?: string;
}

export type Outcome =
  /** `notes` say what was compared beyond the usual, and what was refused as it must be. */
  | { readonly status: 'ok'; readonly notes: readonly string[] }
  | { readonly status: 'mismatch'; readonly difference: string }
  /** klog has no code for this yet. */
  | { readonly status: 'pending'; readonly reason: string };

/** Runs one vector of `folder`. What it throws counts as a mismatch. */
export type Kind = (folder: string, vector: Vector) => Promise<Outcome>;

export function ok(...notes: string[]): Outcome {
  return { status: 'ok', notes };
}

export function mismatch(difference: string): Outcome {
  return { status: 'mismatch', difference };
}

export function pending(reason: string): Outcome {
  return { status: 'pending', reason };
}

export function vectorName(vector: Vector): string {
  return vector.file ?? vector.dir ?? '(neither file nor dir)';
}
