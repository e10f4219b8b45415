/** The compiler's errors for unknown events and for listeners of a wrong type. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = join(ROOT, 'test', 'unit', 'a-program.ts');

/** Compiles programs that have `session` and `flush`. @returns the first line of what the compiler says, one text for each */
function diagnosticsOf(statements: readonly string[]): readonly string[] {
  const header = "import type { FlushSession, Session } from '../../client/index.ts';\n";
  const declarations = 'declare const session: Session;\ndeclare const flush: FlushSession;\n';
  const source = header + declarations + statements.join('\n');
  const { options } = ts.convertCompilerOptionsFromJson(
    ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config.compilerOptions,
    ROOT,
  );
  const host = ts.createCompilerHost(options);
  const readFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, languageVersion) =>
    name === FILE ? ts.createSourceFile(name, source, languageVersion, true) : readFile(name, languageVersion);
  const program = ts.createProgram([FILE], options, host);
  const file = program.getSourceFile(FILE)!;
  expect(program.getSyntacticDiagnostics(file)).toEqual([]);
  const texts = statements.map(() => '');
  for (const { start, messageText } of program.getSemanticDiagnostics(file)) {
    const line = file.getLineAndCharacterOfPosition(start ?? 0).line - 3;
    texts[line] = ts.flattenDiagnosticMessageText(messageText, '\n');
  }
  return texts;
}

const METHODS = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off', 'removeListener'];

const WRONG_EVENTS = ['session', 'flush'].flatMap((emitter) =>
  METHODS.map((method) => `${emitter}.${method}('mesage', () => undefined);`),
);
const GOOD = [
  "session.on('message', (event) => event.data.length + event.groups.length);",
  "session.on('membership', ({ members, ownIndex }) => members[ownIndex]);",
  "session.once('close', (error) => error?.code).off('error', (error) => error.resultCode);",
  "session.on('newListener', (event) => event).on('removeListener', (event) => event);",
  "flush.on('view', (view) => view.vsSet).on('flushRequest', ({ group }) => flush.flush(group));",
  'for await (const event of session) if (event.kind === "reject") event.request;',
  'for await (const event of flush) if (event.kind === "view") event.vsSet;',
  'session satisfies import("node:events").EventEmitter; session satisfies AsyncDisposable;',
];
const BAD: readonly (readonly [statement: string, diagnostic: RegExp])[] = [
  ["session.on('message', (event) => event.members);", /^Property 'members' does not exist on type 'Message'\.$/],
  [
    "session.on('message', (event: string) => event);",
    /^Argument of type '\(event: string\) => string' is not assignable/,
  ],
  ["flush.on('membership', () => undefined);", /^Argument of type '"membership"' is not assignable/],
];

it('lists the known events for a wrong one, and checks the types of listeners', () => {
  const bad = BAD.map(([statement]) => statement);
  const statements = [...WRONG_EVENTS, ...GOOD, ...bad];
  const texts = new Map(diagnosticsOf(statements).map((text, i) => [statements[i]!, text]));
  for (const statement of WRONG_EVENTS) {
    expect(texts.get(statement), statement).toMatch(
      /^Argument of type '"mesage"' is not assignable to parameter of type '/,
    );
    expect(texts.get(statement), statement).toContain('"message"');
    expect(texts.get(statement), statement).toContain(
      statement.startsWith('flush') ? '"flushRequest"' : '"membership"',
    );
    expect(texts.get(statement), statement).not.toMatch(/never|overload/);
  }
  for (const statement of GOOD) expect(texts.get(statement), statement).toBe('');
  for (const [statement, diagnostic] of BAD) expect(texts.get(statement), statement).toMatch(diagnostic);
});
