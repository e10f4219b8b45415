/**
 * The import rule of ARCHITECTURE.md: arrows point one way, and the engine imports nothing outside itself.
 * test/unit/import-rules.test.ts holds that every folder named here exists, and that each rule fires on a planted violation.
 */
module.exports = {
  forbidden: [
    {
      name: 'engine-imports-nothing-outside-itself',
      comment: 'The protocol is pure: no Node module, no package, no other folder.',
      severity: 'error',
      from: { path: '^engine/' },
      to: { pathNot: '^engine/' },
    },
    {
      name: 'client-uses-only-the-wire',
      severity: 'error',
      from: { path: '^client/' },
      to: {
        path: '^(workers|daemon|cli|bench|examples|engine)/',
        pathNot: '^engine/(wire/|plural\\.ts$|config/did-you-mean\\.ts$)',
      },
    },
    {
      name: 'workers-use-only-the-engine',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^(client|daemon|cli|bench|examples)/' },
    },
    {
      name: 'daemon-uses-workers-and-engine',
      severity: 'error',
      from: { path: '^daemon/' },
      to: { path: '^(client|cli|bench|examples)/' },
    },
    {
      name: 'nothing-imports-programs',
      comment: 'The command, the benchmarks and the examples are ends of the arrows.',
      severity: 'error',
      from: { pathNot: '^(cli|bench|examples)/' },
      to: { path: '^(cli|bench|examples)/' },
    },
    {
      name: 'dashboard-runs-in-browsers',
      comment: 'Of the daemon it knows types only; what is Node is not in a browser.',
      severity: 'error',
      from: { path: '^dashboard/' },
      to: { pathNot: '^(dashboard/|engine/plural\\.ts$|daemon/http/status-types\\.ts$|node_modules/uplot/)' },
    },
    {
      name: 'nothing-imports-the-dashboard',
      severity: 'error',
      from: { pathNot: '^dashboard/' },
      to: { path: '^dashboard/' },
    },
    {
      name: 'cli-imports-no-benchmarks',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^(bench|examples)/' },
    },
    {
      name: 'bench-imports-no-command',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(cli|examples)/' },
    },
    {
      name: 'examples-use-the-public-package',
      comment: 'What they import, a program of a stranger can.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(engine|workers|daemon|client|cli|bench)/', pathNot: '^client/index\\.ts$' },
    },
    {
      name: 'delivery-knows-transports-not-sockets',
      comment: 'Clients come over a ClientTransport; only its implementations and their listeners know how.',
      severity: 'error',
      from: { path: '^workers/delivery(/|-agent\\.ts$)', pathNot: '^workers/delivery/sockets/' },
      to: { path: '^(node:)?(net|tls|http|https|http2)$' },
    },
    {
      name: 'sockets-are-made-where-threads-are-set-up',
      severity: 'error',
      from: { path: '^workers/', pathNot: '^workers/(delivery/sockets/|thread-setup\\.ts$)' },
      to: { path: '^workers/delivery/sockets/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-circular-folders',
      comment: 'Folders form a graph without cycles, at every depth. A folder includes its subfolders.',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.d\\.ts$', '^index\\.ts$', '/main\\.ts$', '-in-browsers\\.ts$'] },
      to: {},
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-at-run-time',
      severity: 'error',
      from: { path: '^(engine|workers|client|cli|daemon)/|^index\\.ts$' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
