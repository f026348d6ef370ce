// From the ES modules that esbuild splits a program into (its chunks) to one CommonJS file, the bundle, of all chunks
// or some: each is a function that runs when it is first asked for. What is not asked for costs next to nothing: V8
// looks no further into a function until it is called, and keeps none of it in a code cache.
import { createHash } from 'node:crypto';
import ts from 'typescript';

/**
 * What a chunk is a function of: import and import() of another chunk. These names, `$need` and `$outer` are no
 * program's own, and so short that no statement becomes longer: source maps stay right.
 */
const PARAMETERS = '$load,$later';

/**
 * The body of the function for one of esbuild's ES modules; each place in it stays in its column. What it exports is
 * read when it has run: an `export let` that changes later would not be followed.
 */
export function chunkBody(module) {
  const file = ts.createSourceFile('chunk.js', module, ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS);
  const exported = [];
  let body = '';
  let end = 0;
  const replace = (node, text) => {
    const start = node.getStart(file);
    const width = node.end - start;
    if (text.length > width) throw new Error(`longer than what it stands for: ${text}`);
    body += module.slice(end, start) + text.padEnd(width);
    end = node.end;
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) replace(node, importText(node));
    else if (ts.isExportDeclaration(node)) {
      for (const { name, propertyName = name } of node.exportClause.elements) {
        exported.push(`${name.text}:${propertyName.text}`);
      }
      replace(node, '');
    } else if (ts.isExportAssignment(node)) {
      exported.push(`default:${node.expression.getText(file)}`);
      replace(node, '');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [path] = node.arguments;
      const chunk = ts.isStringLiteral(path) ? chunkName(path.text) : undefined;
      if (chunk === undefined) replace(node.expression, '$outer');
      else replace(node, `$later("${chunk}")`);
    } else ts.forEachChild(node, visit);
  };
  visit(file);
  return `${body}${module.slice(end)}\nreturn{${exported}}`;
}

function importText({ importClause, moduleSpecifier }) {
  const path = moduleSpecifier.text;
  const chunk = chunkName(path);
  const from = chunk === undefined ? `$need("${path}")` : `$load("${chunk}")`;
  if (importClause === undefined) return `${from};`;
  const { name, namedBindings } = importClause;
  if (name !== undefined && namedBindings === undefined) return `var ${name.text}=${from};`;
  if (name === undefined && ts.isNamespaceImport(namedBindings)) return `var ${namedBindings.name.text}=${from};`;
  if (name !== undefined) throw new Error(`an import of the default and of names: ${path}`);
  const names = namedBindings.elements.map(({ name, propertyName }) =>
    propertyName === undefined ? name.text : `${propertyName.text}:${name.text}`,
  );
  return `const{${names}}=${from};`;
}

/** Undefined: no chunk, but a module of Node or a package. */
function chunkName(path) {
  return /^\.\/(.*)\.js$/.exec(path)?.[1];
}

/**
 * The first line names the bundle, for its code cache. What follows is one expression: a function, which bin/klog.js
 * calls with the names of a module, and which calls itself where the file is a module (so the text is compiled as it is
 * read, not copied into a wrapper). What runs by node:vm cannot say import(); bin/klog.js hands its own in.
 */
const HEAD = `(function(bundle){if(typeof module==='undefined')return bundle;bundle(exports,require,module,__filename)})(function(exports,require,module,__filename){"use strict";
const $need=require,$outer=module.importModule??((name)=>import(name));
const monotonicNow=()=>{const[s,ns]=process.hrtime();return s*1e3+ns/1e6};
const chunks={
`;

/**
 * `start` answers with the exports of the first chunk; `missing` is asked for all chunks when one is not in this
 * bundle.
 */
const TAIL = `};
const loaded=new Map;let others;
exports.chunks=chunks;exports.loaded=loaded;
exports.start=(missing)=>{
const $load=(name)=>{let found=loaded.get(name);if(found===undefined)loaded.set(name,found=(chunks[name]??(others??=missing())[name])($load,$later));return found};
const $later=async(name)=>$load(name);
return $load("start")};
if(require.main===module)void exports.start().main()})`;

/**
 * The bundle of these chunks: `bodies` by name, "start" among them; and where in it each body begins, lines counted
 * from 0.
 */
export function bundleText(bodies) {
  let text = HEAD;
  const lines = new Map();
  // The line of the hash, which comes first.
  let line = 1 + newlines(HEAD);
  for (const [name, body] of bodies) {
    const chunk = `"${name}"(${PARAMETERS}){\n${body}},\n`;
    lines.set(name, line + 1);
    line += newlines(chunk);
    text += chunk;
  }
  text += TAIL;
  return { text: `// ${createHash('sha256').update(text).digest('hex')}\n${text}`, lines };
}

function newlines(text) {
  return text.split('\n').length - 1;
}
