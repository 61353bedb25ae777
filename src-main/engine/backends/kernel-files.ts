// Where the compiled kernels lie: beside the sources, beside the bundle (out/main), or in a packaged application.
import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/**
 * The first place, from this file's folder upwards and then among Electron's resources, that has `path`, such as
 * 'resources/kernels/temper.wasm'; null when none has.
 */
export function findKernelFile(path: string): string | null {
  const places: string[] = []
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    // A library cannot be loaded out of an archive: electron-builder puts it beside, under the same path.
    places.push(
      join(
        folder.replace(`app.asar${sep}`, `app.asar.unpacked${sep}`).replace(/app\.asar$/, 'app.asar.unpacked'),
        path,
      ),
    )
    places.push(join(folder, path))
    if (folder === dirname(folder)) break
  }
  const resources = (process as { resourcesPath?: string }).resourcesPath
  if (resources !== undefined)
    places.push(join(resources, path), join(resources, path.replace(/^(resources|build)\//, '')))
  return places.find((place) => existsSync(place)) ?? null
}
