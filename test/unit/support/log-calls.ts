/** Every line that the daemon can log, found in its source by the compiler. */
import { relative } from 'node:path';
import ts from 'typescript';

export interface LogCall {
  /** Path in the repository and line number, for failure messages. */
  readonly at: string;
  readonly level: string;
  /** Text of the message, with `…` for variable parts. */
  readonly message: string;
  /** Names of the line's fields, as far as the compiler knows them. */
  readonly fields: readonly string[];
}

const LEVELS = new Set(['debug', 'info', 'warn', 'error', 'fatal']);
/** Types whose methods of these names log a line. */
const LOGS = new Set(['Log', 'DaemonLog']);

/**
 * @param root the repository
 * @param folders folders whose source is searched
 */
export function findLogCalls(root: string, folders: readonly string[]): readonly LogCall[] {
  const configFile = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(configFile.config, ts.sys, root);
  const files = folders.flatMap((folder) => ts.sys.readDirectory(`${root}/${folder}`, ['.ts'], ['**/generated/**']));
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const calls: LogCall[] = [];

  const textOf = (node: ts.Expression): readonly string[] => {
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isTemplateExpression(node))
      return [[node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('…')];
    if (ts.isConditionalExpression(node)) return [...textOf(node.whenTrue), ...textOf(node.whenFalse)];
    const type = checker.getTypeAtLocation(node);
    const parts = type.isUnion() ? type.types : [type];
    return parts.every((part) => part.isStringLiteral()) ? parts.map((part) => part.value) : ['…'];
  };

  const visit = (file: ts.SourceFile) =>
    function each(node: ts.Node): void {
      ts.forEachChild(node, each);
      if (!ts.isCallExpression(node) || node.arguments.length !== 2) return;
      const called = node.expression;
      if (!ts.isPropertyAccessExpression(called) || !LEVELS.has(called.name.text)) return;
      const receiver = checker.getTypeAtLocation(called.expression);
      if (!LOGS.has(receiver.symbol?.name ?? '')) return;
      const [fields, message] = node.arguments as unknown as readonly [ts.Expression, ts.Expression];
      const known = checker.getTypeAtLocation(fields).getProperties();
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      for (const text of textOf(message))
        calls.push({
          at: `${relative(root, file.fileName)}:${line + 1}`,
          level: called.name.text,
          message: text,
          fields: known.map((property) => property.name),
        });
    };
  const searched = new Set(files);
  for (const file of program.getSourceFiles()) if (searched.has(file.fileName)) visit(file)(file);
  return calls;
}
