import { defineConfig } from 'vitest/config'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { resolve } from 'node:path'

// Tests run the TypeScript sources as they stand; worker threads start from the .ts files too (Node strips the types).
export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { electron: resolve(import.meta.dirname, 'tests/stand-ins/electron.ts') } },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/e2e/**', 'tests/bench/**'],
    environment: 'node',
    testTimeout: 30_000,
    passWithNoTests: false,
    maxWorkers: 2,
  },
})
