import { defineConfig } from 'electron-vite'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { resolve } from 'node:path'

const at = (path: string): string => resolve(import.meta.dirname, path)

// All main-process entries land flat in out/main, so that a worker is always a sibling file of whoever starts it.
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      rollupOptions: {
        input: {
          electron: at('src-main/shells/electron/main.ts'),
          web: at('src-main/shells/web/main.ts'),
          cli: at('src-main/shells/cli/main.ts'),
          'training-worker': at('src-main/workers/training-worker.ts'),
          'generation-worker': at('src-main/workers/generation-worker.ts'),
          'import-worker': at('src-main/workers/import-worker.ts'),
          'scoring-worker': at('src-main/workers/scoring-worker.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      rollupOptions: {
        input: { bridge: at('src-preload/bridge.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src-renderer',
    base: './',
    plugins: [svelte()],
    build: {
      outDir: 'out/renderer',
      rollupOptions: { input: { index: at('src-renderer/index.html') }, checks: { pluginTimings: false } },
    },
  },
})
