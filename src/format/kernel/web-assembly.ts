/** What of WebAssembly is used: the types of Node have little of it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}
const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

const compiled = new Map<string, object>();

let isThere = true;

/**
 * The kernel that `make` makes. `undefined` where there is none to be had: `--jitless` has no WebAssembly, and V8 sets
 * 10 GiB of address space aside for the memory of each, of which `ulimit -v` may allow less. JavaScript can do all that
 * kernels do.
 */
export function kernelIfAny<Kernel>(make: () => Kernel): Kernel | undefined {
  if (!isThere) return undefined;
  try {
    return make();
  } catch (error) {
    if (isThere) throw error;
    return undefined;
  }
}

/** The exports of a new instance of the module, which is compiled once. */
export function instantiate<Exports>(base64: string): Exports {
  try {
    let module = compiled.get(base64);
    if (module === undefined) {
      module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
      compiled.set(base64, module);
    }
    return new WebAssembly.Instance(module).exports as Exports;
  } catch (error) {
    isThere = false;
    throw error;
  }
}

/** The variables and the memory that a module exports. */
export interface ExportedMemory {
  readonly buffer: ArrayBuffer;
}
export interface ExportedNumber {
  readonly value: number;
}
