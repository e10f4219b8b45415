/**
 * Finds dead members: methods, accessors and fields of classes, and methods of interfaces, whose name nothing calls or reads. The compiler
 * finds only private ones, and knip only exports.
 *
 *     node scripts/dead-members.mjs
 *
 * It compares names only, so it may miss a dead member but never reports a live one. It ignores fields of interfaces: many leave the
 * program as JSON, or are read by a library.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './ensure-installed.mjs';

/** Called by Node, by the language or by a library only. */
const CALLED_BY_OTHERS = new Set(['constructor', 'toJSON', 'then']);

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.mjs', '*.cjs'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

/** @type {Map<string, string[]>} name -> where it is declared */
const declared = new Map();
const used = new Set();

const isMember = (node) =>
  ts.isMethodDeclaration(node) || ts.isMethodSignature(node) || ts.isPropertyDeclaration(node) || ts.isAccessor(node);

const isWritten = (node) => ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node);

for (const file of files) {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    if (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) {
      const { parent } = node;
      const isName = parent.name === node;
      if (isName && isMember(parent) && !ts.isObjectLiteralExpression(parent.parent)) declare(node);
      else if (!isName || !isWritten(parent)) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  const declare = (name) => {
    if (
      CALLED_BY_OTHERS.has(name.text) ||
      name.parent.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.OverrideKeyword)
    )
      return;
    const { line } = source.getLineAndCharacterOfPosition(name.getStart());
    declared.set(name.text, [...(declared.get(name.text) ?? []), `${file}:${line + 1}`]);
  };
  visit(source);
}

const dead = [...declared].filter(([name]) => !used.has(name));
for (const [name, places] of dead) console.error(`${name}: nothing reads or calls it (${places.join(', ')})`);
if (dead.length > 0) process.exit(1);
console.log(`${declared.size} member names, none dead`);
