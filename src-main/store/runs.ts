// Runs and all that they leave: options, metrics, checkpoints, samples.
import type { Checkpoint, CheckpointReason, Metric, Run, RunState, Sample } from '../contract/records.ts'
import { actualPath, storedPath } from './files.ts'
import { found, newId } from './ids.ts'
import type { Store } from './open.ts'

interface RunRow {
  id: string
  name: string
  method: Run['method']
  tune: Run['tune']
  backend: string
  start: string
  model: string
  dataset: string
  seed: number
  state: RunState
  step: number
  steps: number
  failure: string | null
  created_at: number
  started_at: number | null
  ended_at: number | null
  training_ms: number
  last_loss: number | null
  best_step: number | null
  best_loss: number | null
}

function toRun(store: Store, row: RunRow): Run {
  const options = store.all<{ name: string; value: string; came_from: 'default' | 'preset' | 'given' }>(
    'SELECT name, value, came_from FROM run_options WHERE run = ? ORDER BY position',
    row.id,
  )
  return {
    id: row.id,
    name: row.name,
    method: row.method,
    tune: row.tune,
    backend: row.backend,
    start: row.start,
    model: row.model,
    dataset: row.dataset,
    seed: row.seed,
    options: Object.fromEntries(options.map((o) => [o.name, { value: JSON.parse(o.value), from: o.came_from }])),
    state: row.state,
    step: row.step,
    steps: row.steps,
    failure: row.failure === null ? null : JSON.parse(row.failure),
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    trainingMs: row.training_ms,
    lastLoss: row.last_loss,
    bestHeldOut: row.best_step === null ? null : { step: row.best_step, loss: row.best_loss! },
  }
}

/** Writes a new run down and gives it its id. */
export function addRun(store: Store, run: Omit<Run, 'id'>): Run {
  return store.transaction(() => {
    const id = newId(store, 'run')
    store.run(
      `INSERT INTO runs (id, name, method, tune, backend, start, model, dataset, seed, state, step, steps, created_at, training_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      run.name,
      run.method,
      run.tune,
      run.backend,
      run.start,
      run.model,
      run.dataset,
      run.seed,
      run.state,
      run.step,
      run.steps,
      run.createdAt,
      run.trainingMs,
    )
    Object.entries(run.options).forEach(([name, { value, from }], position) =>
      store.run(
        'INSERT INTO run_options (run, position, name, value, came_from) VALUES (?, ?, ?, ?, ?)',
        id,
        position,
        name,
        JSON.stringify(value),
        from,
      ),
    )
    return changeRun(store, id, run)
  })
}

/** What of a run may change after its start. */
export type RunChange = Partial<
  Pick<
    Run,
    | 'name'
    | 'backend'
    | 'state'
    | 'step'
    | 'steps'
    | 'failure'
    | 'startedAt'
    | 'endedAt'
    | 'trainingMs'
    | 'lastLoss'
    | 'bestHeldOut'
  >
>

/** Changes what is named and leaves the rest. A loss that is no number is kept as none. */
export function changeRun(store: Store, id: string, change: RunChange): Run {
  const run = { ...showRun(store, id), ...change }
  store.run(
    `UPDATE runs SET name = ?, backend = ?, state = ?, step = ?, steps = ?, failure = ?, started_at = ?, ended_at = ?,
       training_ms = ?, last_loss = ?, best_step = ?, best_loss = ? WHERE id = ?`,
    run.name,
    run.backend,
    run.state,
    run.step,
    run.steps,
    run.failure === null ? null : JSON.stringify(run.failure),
    run.startedAt,
    run.endedAt,
    run.trainingMs,
    Number.isFinite(run.lastLoss) ? run.lastLoss : null,
    run.bestHeldOut?.step ?? null,
    run.bestHeldOut?.loss ?? null,
    id,
  )
  return showRun(store, id)
}

export function showRun(store: Store, id: string): Run {
  return toRun(store, found(store.get<RunRow>('SELECT * FROM runs WHERE id = ?', id), 'run', id))
}

/** All runs, newest first. */
export function listRuns(store: Store): Run[] {
  return store.all<RunRow>('SELECT * FROM runs ORDER BY rowid DESC').map((row) => toRun(store, row))
}

/** Removes the run with all that belongs to it; its folder on disk is the caller's to remove. */
export function removeRun(store: Store, id: string): void {
  if (store.run('DELETE FROM runs WHERE id = ?', id) === 0) found(undefined, 'run', id)
}

/** Runs that start from this model or checkpoint, or are built on this model. */
export function runsUpon(store: Store, answerer: string): Run[] {
  return store
    .all<RunRow>('SELECT * FROM runs WHERE model = ? OR start = ? ORDER BY rowid', answerer, answerer)
    .map((row) => toRun(store, row))
}

export function runsOn(store: Store, dataset: string): Run[] {
  return store
    .all<RunRow>('SELECT * FROM runs WHERE dataset = ? ORDER BY rowid', dataset)
    .map((row) => toRun(store, row))
}

// ---- Metrics --------------------------------------------------------------------------------------------------------

/** Adds numbers of a run; one that stands already at its step is replaced. Values that are no numbers are left out. */
export function addMetrics(store: Store, run: string, metrics: readonly Metric[]): void {
  store.transaction(() => {
    for (const { step, name, value, atMs, tokens } of metrics)
      if (Number.isFinite(value))
        store.run(
          'INSERT OR REPLACE INTO metrics (run, name, step, value, at_ms, tokens) VALUES (?, ?, ?, ?, ?, ?)',
          run,
          name,
          step,
          value,
          atMs,
          tokens,
        )
  })
}

/** A run that goes on from step `step` forgets what it had measured after it. */
export function forgetAfter(store: Store, run: string, step: number): void {
  store.run('DELETE FROM metrics WHERE run = ? AND step > ?', run, step)
  store.run('DELETE FROM samples WHERE run = ? AND step > ?', run, step)
}

/** Metrics after `afterStep` by name and step, each name thinned evenly to at most `points`; its last always stays. */
export function listMetrics(store: Store, run: string, afterStep = -1, points = 2000): Metric[] {
  return store.all<Metric>(
    `SELECT name, step, value, at_ms AS atMs, tokens FROM (
       SELECT *, row_number() OVER (PARTITION BY name ORDER BY step DESC) - 1 AS place,
         (count(*) OVER (PARTITION BY name) + :points - 1) / :points AS every
       FROM metrics WHERE run = :run AND step > :after)
     WHERE place % every = 0 ORDER BY name, step`,
    { run, points: Math.max(1, points), after: afterStep },
  )
}

// ---- Checkpoints ----------------------------------------------------------------------------------------------------

interface CheckpointRow {
  id: string
  run: string
  step: number
  reasons: string
  path: string
  bytes: number
  train_loss: number | null
  held_out_loss: number | null
  created_at: number
}

const toCheckpoint = (store: Store, row: CheckpointRow): Checkpoint => ({
  id: row.id,
  run: row.run,
  step: row.step,
  reasons: JSON.parse(row.reasons) as CheckpointReason[],
  path: actualPath(store.home, row.path),
  bytes: row.bytes,
  trainLoss: row.train_loss,
  heldOutLoss: row.held_out_loss,
  createdAt: row.created_at,
})

/** Writes a checkpoint down. One of the same step is written anew and keeps its id. */
export function addCheckpoint(store: Store, checkpoint: Omit<Checkpoint, 'id'>): Checkpoint {
  return store.transaction(() => {
    const { run, step } = checkpoint
    const old = store.get<{ id: string }>('SELECT id FROM checkpoints WHERE run = ? AND step = ?', run, step)
    const id = old?.id ?? newId(store, 'checkpoint')
    store.run(
      `INSERT INTO checkpoints (id, run, step, reasons, path, bytes, train_loss, held_out_loss, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET reasons = excluded.reasons, path = excluded.path, bytes = excluded.bytes,
         train_loss = excluded.train_loss, held_out_loss = excluded.held_out_loss, created_at = excluded.created_at`,
      id,
      run,
      step,
      JSON.stringify(checkpoint.reasons),
      storedPath(store.home, checkpoint.path),
      checkpoint.bytes,
      checkpoint.trainLoss,
      checkpoint.heldOutLoss,
      checkpoint.createdAt,
    )
    return showCheckpoint(store, id)
  })
}

export function changeCheckpoint(
  store: Store,
  id: string,
  change: Partial<Pick<Checkpoint, 'reasons' | 'heldOutLoss' | 'trainLoss' | 'bytes'>>,
): Checkpoint {
  return store.transaction(() => addCheckpoint(store, { ...showCheckpoint(store, id), ...change }))
}

export function showCheckpoint(store: Store, id: string): Checkpoint {
  const row = store.get<CheckpointRow>('SELECT * FROM checkpoints WHERE id = ?', id)
  return toCheckpoint(store, found(row, 'checkpoint', id))
}

/** A run's checkpoints by step, or those of all runs, by run and step. */
export function listCheckpoints(store: Store, run?: string): Checkpoint[] {
  const rows =
    run === undefined
      ? store.all<CheckpointRow>(
          `SELECT checkpoints.* FROM checkpoints JOIN runs ON runs.id = checkpoints.run
           ORDER BY runs.rowid, checkpoints.step`,
        )
      : store.all<CheckpointRow>('SELECT * FROM checkpoints WHERE run = ? ORDER BY step', run)
  return rows.map((row) => toCheckpoint(store, row))
}

/** Removes the record; the folder on disk is the caller's to remove afterwards. */
export function removeCheckpoint(store: Store, id: string): void {
  if (store.run('DELETE FROM checkpoints WHERE id = ?', id) === 0) found(undefined, 'checkpoint', id)
}

// ---- Samples --------------------------------------------------------------------------------------------------------

export function addSamples(store: Store, run: string, samples: readonly Sample[]): void {
  store.transaction(() => {
    for (const { step, prompt, text } of samples)
      store.run('INSERT OR REPLACE INTO samples (run, step, prompt, text) VALUES (?, ?, ?, ?)', run, step, prompt, text)
  })
}

export function listSamples(store: Store, run: string): Sample[] {
  return store.all<Sample>('SELECT step, prompt, text FROM samples WHERE run = ? ORDER BY step, prompt', run)
}
