import { defineConfig } from 'vitest/config';

const PROGRAMS = ['test/e2e/**/*.test.ts', 'test/package/**/*.test.ts'];

// A test that hangs ends here; how fast something is, no test says. Busy machines take several times as long.
const PATIENCE = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'code',
          include: ['test/**/*.test.ts'],
          exclude: PROGRAMS,
          sequence: { groupOrder: 0 },
          ...PATIENCE,
        },
      },
      {
        // Real processes and sockets have deadlines: they run when the simulator no longer takes the cores.
        test: { name: 'programs', include: PROGRAMS, sequence: { groupOrder: 1 }, ...PATIENCE },
      },
    ],
  },
});
