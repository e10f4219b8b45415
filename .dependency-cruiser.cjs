/** The import rule of ARCHITECTURE.md: arrows point one way, and the engine imports nothing outside itself. */
module.exports = {
  forbidden: [
    {
      name: 'engine-imports-nothing-outside-itself',
      comment: 'The protocol is pure: no Node module, no package, no other room.',
      severity: 'error',
      from: { path: '^engine/' },
      to: { pathNot: '^engine/' },
    },
    {
      name: 'client-uses-only-the-wire',
      severity: 'error',
      from: { path: '^client/' },
      to: {
        path: '^(engine|workers|daemon|cli|monitor|bench|examples)/',
        pathNot: '^engine/(wire/|config/did-you-mean\\.ts$)',
      },
    },
    {
      name: 'workers-use-only-the-engine',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^(client|daemon|cli|monitor|bench|examples)/' },
    },
    {
      name: 'daemon-uses-workers-and-engine',
      severity: 'error',
      from: { path: '^daemon/' },
      to: { path: '^(client|cli|monitor|bench|examples)/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.d\\.ts$', '^index\\.ts$', '/main\\.ts$'] },
      to: {},
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-at-run-time',
      severity: 'error',
      from: { path: '^(engine|workers|client|cli|daemon|monitor)/' },
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
