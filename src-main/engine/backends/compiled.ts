// The backend that native and wasm share. Both run the same compiled kernels (engine/kernels) on memory of their own; a
// tensor is an address there, as a number. Everything is checked here, before an address reaches C: shapes, live
// tensors, and every row, token, target and segment, since C would read or write wherever it is told to.
import { Failure } from '../../contract/errors.ts'
import type { Backend, BackendName, Segments, Shape, Tensor } from '../backend.ts'

/** What a compiled file offers beneath the kernels. Addresses are whole numbers below 2^53; 0 means no memory. */
export interface Machine {
  /** "fill/3 copy/3 ...": each kernel, in order of its number, and how many arguments it takes. */
  readonly kernels: string
  allocate(bytes: number): number
  release(address: number, bytes: number): void
  write(address: number, data: Float32Array | Int32Array): void
  read(address: number, into: Float32Array | Int32Array): void
  call(kernel: number, args: Float64Array): number
  close(): void
}

interface Held extends Tensor {
  readonly machine: Machine
  readonly address: number
  /** The tensor whose memory this is: itself, or what `rows` was asked of. */
  readonly owner: Held | null
  freed: boolean
}

const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)
const show = (shape: Shape): string => `[${shape.join(', ')}]`
const bug = (where: string, message: string): Failure => new Failure('Bug', message, { where })

/** The kernels that this file calls, with their numbers of arguments: a stale compiled file is refused when it is opened. */
const called = {
  fill: 3, copy: 3, add: 4, scale: 3, sumSquares: 2, matmul: 10, gatherRows: 5, scatterAddRows: 5, rmsNorm: 7,
  rmsNormBackward: 8, rotary: 7, attention: 11, attentionBackward: 15, gatedSilu: 4, gatedSiluBackward: 6, logprobs: 8,
  logprobsBackward: 6, adamW: 12, scratchBytes: 0,
} // prettier-ignore
type Kernel = keyof typeof called

/** A Backend over a machine. Throws a Bug when its kernels are not those that are called here. */
export function createCompiled(
  machine: Machine,
  about: { name: BackendName; threads: number; summary: string },
): Backend {
  const listed = machine.kernels.trim().split(' ')
  const numbers = {} as Record<Kernel, number>
  for (const [name, count] of Object.entries(called) as [Kernel, number][]) {
    numbers[name] = listed.indexOf(`${name}/${count}`)
    if (numbers[name] === -1)
      throw new Failure(
        'Bug',
        `The compiled kernels are of another version: they have no ${name} of ${count} arguments.`,
        {
          where: `${about.name} backend`,
          next: 'Run `npm run kernels`, or install Temper again.',
        },
      )
  }

  const live = new Set<Held>()
  let closed = false
  let tensorBytes = 0
  let peakBytes = 0
  const args = new Float64Array(16)
  /** Memory for the whole numbers of a call (ids, segments) and for plain gradients: two places, kept and grown. */
  const stages = [
    { address: 0, bytes: 0 },
    { address: 0, bytes: 0 },
  ]

  const outOfMemory = (bytes: number, where: string): Failure =>
    new Failure('OutOfMemory', `There is no memory for another ${Math.ceil(bytes / 2 ** 20)} MB.`, {
      where: `${about.name} backend, ${where}; ${Math.round(bytesInUse() / 2 ** 20)} MB are in use`,
      next: 'Close other programs, or use a smaller model, shorter examples or a smaller batch.',
    })

  function call(kernel: Kernel, ...values: number[]): number {
    if (closed) throw bug(kernel, 'This backend is closed.')
    args.set(values)
    const result = machine.call(numbers[kernel], args)
    if (result === -1) throw outOfMemory(2 ** 20, `${kernel}: working memory`)
    return result
  }
  const bytesInUse = (): number => {
    const all = closed ? 0 : tensorBytes + stages[0]!.bytes + stages[1]!.bytes + call('scratchBytes')
    peakBytes = Math.max(peakBytes, all)
    return all
  }

  /** The address of a live tensor of this backend and this type. */
  function at(t: Tensor, where: string, dtype: 'f32' | 'i32' = 'f32'): number {
    const held = t as Held
    if (held.machine !== machine) throw bug(where, 'This array belongs to another backend.')
    if ((held.owner ?? held).freed) throw bug(where, `This array ${show(t.shape)} was freed.`)
    if (t.dtype !== dtype) throw bug(where, `This array is ${t.dtype}; ${dtype} is wanted.`)
    return held.address
  }
  /** The address of a tensor that must have so many elements. */
  function sized(t: Tensor, size: number, where: string): number {
    if (t.size !== size) throw bug(where, `An array ${show(t.shape)} came where ${size} elements are wanted.`)
    return at(t, where)
  }
  /** Rows and width of a matrix; a vector is one row. */
  function matrix(t: Tensor, where: string): [rows: number, width: number] {
    if (t.shape.length === 1) return [1, t.size]
    if (t.shape.length !== 2) throw bug(where, `An array ${show(t.shape)} came where a matrix is wanted.`)
    return [t.shape[0]!, t.shape[1]!]
  }
  /** Whole numbers, each in 0 .. end-1, brought to where a kernel finds them. */
  function stageNumbers(data: Int32Array, end: number, where: string): number {
    for (let i = 0; i < data.length; i++)
      if (data[i]! < 0 || data[i]! >= end)
        throw bug(where, `Number ${i} is ${data[i]}, which is not in 0 .. ${end - 1}.`)
    return stage(0, data, where)
  }
  function stage(place: 0 | 1, data: Int32Array | Float32Array, where: string): number {
    if (closed) throw bug(where, 'This backend is closed.')
    const kept = stages[place]!
    if (data.byteLength > kept.bytes || kept.address === 0) {
      const bytes = Math.max(1024, 2 ** Math.ceil(Math.log2(data.byteLength || 1)))
      if (kept.address !== 0) machine.release(kept.address, kept.bytes)
      Object.assign(kept, { address: 0, bytes: 0 })
      const address = machine.allocate(bytes)
      if (address === 0) throw outOfMemory(bytes, where)
      Object.assign(kept, { address, bytes })
    }
    machine.write(kept.address, data)
    return kept.address
  }

  /** rows [M] of x [*, width] and `packed` [M, width], as gather and scatter want them. */
  function pickedRows(where: Kernel, x: Tensor, packed: Tensor, rows: Int32Array): void {
    const [count, width] = matrix(x, where)
    const [to, from] =
      where === 'gatherRows'
        ? [sized(packed, rows.length * width, where), at(x, where)]
        : [at(x, where), sized(packed, rows.length * width, where)]
    call(where, rows.length, width, to, from, stageNumbers(rows, count, where))
  }

  /** Checks segments against the rows of queries and keys; true when no two of them share keys. */
  function checkSegments(segments: Segments, queries: number, keys: number, where: string): boolean {
    const ranges: { queryStart: number; queryEnd: number; keyStart: number; keyEnd: number }[] = []
    if (segments.length % 4 !== 0) throw bug(where, 'Segments come in fours.')
    for (let s = 0; s < segments.length; s += 4) {
      const [queryStart, queryCount, keyStart, keyCount] = segments.subarray(s, s + 4) as unknown as number[]
      const inside =
        queryStart! >= 0 && queryCount! >= 0 && keyStart! >= 0 && keyCount! >= queryCount! &&
        queryStart! + queryCount! <= queries && keyStart! + keyCount! <= keys // prettier-ignore
      if (!inside)
        throw bug(
          where,
          `Segment ${s / 4} (${segments.subarray(s, s + 4).join(', ')}) leaves ${queries} queries, ${keys} keys.`,
        )
      if (queryCount! > 0)
        ranges.push({ queryStart: queryStart!, queryEnd: queryStart! + queryCount!, keyStart: keyStart!, keyEnd: keyStart! + keyCount! }) // prettier-ignore
    }
    ranges.sort((a, b) => a.queryStart - b.queryStart)
    if (ranges.some((r, i) => i > 0 && r.queryStart < ranges[i - 1]!.queryEnd))
      throw bug(where, 'Two segments have a query in common.')
    ranges.sort((a, b) => a.keyStart - b.keyStart)
    let end = 0
    return ranges.every((r) => [r.keyStart >= end, (end = Math.max(end, r.keyEnd))][0])
  }

  const matmul: Backend['matmul'] = (out, a, b, how = {}) => {
    const { transposeA = false, transposeB = false, scale = 1, accumulate = false } = how
    const [m, n] = matrix(out, 'matmul')
    const [aRows, aColumns] = matrix(a, 'matmul')
    const [bRows, bColumns] = matrix(b, 'matmul')
    const k = transposeA ? aRows : aColumns
    if (
      (transposeA ? aColumns : aRows) !== m ||
      (transposeB ? bRows : bColumns) !== n ||
      (transposeB ? bColumns : bRows) !== k
    ) {
      const [left, right] = [`${show(a.shape)}${transposeA ? "'" : ''}`, `${show(b.shape)}${transposeB ? "'" : ''}`]
      throw bug('matmul', `${left} times ${right} does not give ${show(out.shape)}.`)
    }
    const [to, x, y] = [at(out, 'matmul'), at(a, 'matmul'), at(b, 'matmul')]
    call('matmul', m, n, k, to, x, y, Number(transposeA), Number(transposeB), scale, Number(accumulate))
  }

  return {
    ...about,
    get bytesInUse() {
      return bytesInUse()
    },
    get peakBytes() {
      bytesInUse()
      return peakBytes
    },

    alloc(shape, dtype = 'f32') {
      if (closed) throw bug('alloc', 'This backend is closed.')
      const size = product(shape)
      if (!Number.isSafeInteger(size) || shape.some((n) => n < 0)) throw bug('alloc', `${show(shape)} is not a shape.`)
      const address = machine.allocate(size * 4)
      if (address === 0) throw outOfMemory(size * 4, `an array ${show(shape)}`)
      const held: Held = { shape: [...shape], dtype, size, machine, address, owner: null, freed: false }
      live.add(held)
      tensorBytes += size * 4
      bytesInUse()
      return held
    },
    free(...tensors) {
      for (const t of tensors as Held[]) {
        if (t.owner !== null) throw bug('free', 'Rows of another array are not freed by themselves.')
        if (!live.delete(t)) continue
        t.freed = true
        tensorBytes -= t.size * 4
        machine.release(t.address, t.size * 4)
      }
    },
    rows(t, from, count) {
      const held = t as Held
      const width = product(t.shape.slice(1))
      if (from < 0 || count < 0 || from + count > t.shape[0]!)
        throw bug('rows', `There are no rows ${from} .. ${from + count - 1} in ${show(t.shape)}.`)
      const address = at(t, 'rows', t.dtype) + from * width * 4
      const shape = [count, ...t.shape.slice(1)]
      const view: Held = {
        shape,
        dtype: t.dtype,
        size: count * width,
        machine,
        address,
        owner: held.owner ?? held,
        freed: false,
      }
      return view
    },
    write(t, data) {
      const address = at(t, 'write', data instanceof Int32Array ? 'i32' : 'f32')
      if (data.length !== t.size) throw bug('write', `${data.length} numbers do not fill ${show(t.shape)}.`)
      machine.write(address, data)
    },
    read(t) {
      const address = at(t, 'read', t.dtype)
      const data = t.dtype === 'f32' ? new Float32Array(t.size) : new Int32Array(t.size)
      machine.read(address, data)
      return Promise.resolve(data instanceof Int32Array ? Float32Array.from(data) : data)
    },
    close() {
      if (closed) return
      bytesInUse()
      closed = true
      for (const t of live) t.freed = true
      live.clear()
      machine.close()
    },

    fill: (t, value) => void call('fill', t.size, at(t, 'fill'), value),
    copy: (to, from) => void call('copy', to.size, at(to, 'copy'), sized(from, to.size, 'copy')),
    add: (to, from, scale) => void call('add', to.size, at(to, 'add'), sized(from, to.size, 'add'), scale),
    scale: (t, factor) => void call('scale', t.size, at(t, 'scale'), factor),
    sumSquares(tensors) {
      let sum = 0
      for (const t of tensors) sum += call('sumSquares', t.size, at(t, 'sumSquares'))
      return Promise.resolve(sum)
    },

    matmul,
    embed: (out, table, ids) => pickedRows('gatherRows', table, out, ids),
    embedBackward: (dTable, ids, dOut) => pickedRows('scatterAddRows', dTable, dOut, ids),
    gatherRows: (out, x, rows) => pickedRows('gatherRows', x, out, rows),
    scatterAddRows: (x, from, rows) => pickedRows('scatterAddRows', x, from, rows),

    rmsNorm(y, r, x, weight, epsilon) {
      const [N, D] = matrix(x, 'rmsNorm')
      const [to, kept, w] = [sized(y, N * D, 'rmsNorm'), sized(r, N, 'rmsNorm'), sized(weight, D, 'rmsNorm')]
      call('rmsNorm', N, D, to, kept, at(x, 'rmsNorm'), w, epsilon)
    },
    rmsNormBackward(dX, dWeight, dY, x, weight, r) {
      const where = 'rmsNormBackward'
      const [N, D] = matrix(x, where)
      const [to, toWeight] = [sized(dX, N * D, where), dWeight ? sized(dWeight, D, where) : 0]
      const [from, w, kept] = [sized(dY, N * D, where), sized(weight, D, where), sized(r, N, where)]
      call(where, N, D, to, toWeight, from, at(x, where), w, kept)
    },

    rotary(x, table, positions, headWidth, direction) {
      const [N, width] = matrix(x, 'rotary')
      const [count, half] = matrix(table, 'rotary')
      if (half !== headWidth || width % headWidth !== 0 || headWidth % 2 !== 0 || positions.length !== N)
        throw bug('rotary', `Heads of ${headWidth}, ${show(x.shape)}, a table ${show(table.shape)} and ${positions.length} positions do not go together.`) // prettier-ignore
      const staged = stageNumbers(positions, count, 'rotary')
      call('rotary', N, width / headWidth, headWidth, at(x, 'rotary'), at(table, 'rotary'), staged, direction)
    },

    attention(out, logSums, q, k, v, segments, { heads, keyValueHeads, headWidth, scale }) {
      const where = 'attention'
      const [Nq, Nk] = [q.size / (heads * headWidth), k.size / (keyValueHeads * headWidth)]
      if (!Number.isInteger(Nq) || !Number.isInteger(Nk) || heads % keyValueHeads !== 0)
        throw bug(where, `${heads} and ${keyValueHeads} heads of ${headWidth} do not fit ${show(q.shape)} and ${show(k.shape)}.`) // prettier-ignore
      checkSegments(segments, Nq, Nk, where)
      const [to, sums] = [sized(out, q.size, where), sized(logSums, Nq * heads, where)]
      const from = [at(q, where), at(k, where), sized(v, k.size, where)]
      const shape = [heads, keyValueHeads, headWidth, scale]
      call(where, segments.length / 4, stage(0, segments, where), ...shape, to, sums, ...from)
    },
    attentionBackward(
      { dQ, dK, dV },
      dOut,
      { out, logSums, q, k, v },
      segments,
      { heads, keyValueHeads, headWidth, scale },
    ) {
      const where = 'attentionBackward'
      const [Nq, Nk] = [q.size / (heads * headWidth), k.size / (keyValueHeads * headWidth)]
      if (!Number.isInteger(Nq) || !Number.isInteger(Nk) || heads % keyValueHeads !== 0)
        throw bug(where, `${heads} and ${keyValueHeads} heads of ${headWidth} do not fit ${show(q.shape)} and ${show(k.shape)}.`) // prettier-ignore
      const apart = checkSegments(segments, Nq, Nk, where)
      const shape = [heads, keyValueHeads, headWidth, scale]
      const to = [sized(dQ, q.size, where), sized(dK, k.size, where), sized(dV, k.size, where)]
      const from = [sized(dOut, q.size, where), sized(out, q.size, where), sized(logSums, Nq * heads, where)]
      const saved = [at(q, where), at(k, where), sized(v, k.size, where)]
      // Segments that share keys add to the same rows: one after the other, so that no two threads do so at once.
      const each = apart || segments.length === 0 ? segments.length : 4
      for (let s = 0; s < segments.length; s += each)
        call(where, each / 4, stage(0, segments.subarray(s, s + each), where), ...shape, ...to, ...from, ...saved)
    },

    gatedSilu(h, gate, up) {
      const where = 'gatedSilu'
      call(where, h.size, at(h, where), sized(gate, h.size, where), sized(up, h.size, where))
    },
    gatedSiluBackward(dGate, dUp, dH, gate, up) {
      const where = 'gatedSiluBackward'
      const addresses = [dGate, dUp, dH, gate, up].map((t) => sized(t, dH.size, where))
      call(where, dH.size, ...addresses)
    },

    logprobs(out, scores, targets) {
      const where = 'logprobs'
      const [M, V] = matrix(scores, where)
      if (targets.length !== M) throw bug(where, `${targets.length} targets came for ${M} rows of scores.`)
      const [own, sums] = [sized(out.logprobs, M, where), sized(out.logSums, M, where)]
      const entropy = out.entropy ? sized(out.entropy, M, where) : 0
      const best = out.best ? sized(out.best, M, where) : 0
      call(where, M, V, own, sums, entropy, best, at(scores, where), stageNumbers(targets, V, where))
    },
    logprobsBackward(scores, logSums, targets, dLogprobs) {
      const where = 'logprobsBackward'
      const [M, V] = matrix(scores, where)
      if (targets.length !== M || dLogprobs.length !== M)
        throw bug(where, `${targets.length} targets and ${dLogprobs.length} gradients came for ${M} rows of scores.`)
      const [ids, gradients] = [stageNumbers(targets, V, where), stage(1, dLogprobs, where)]
      call(where, M, V, at(scores, where), sized(logSums, M, where), ids, gradients)
    },

    adamW(w, g, m, v, { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale }) {
      const where = 'adamW'
      if (!Number.isInteger(step) || step < 1) throw bug(where, `Steps are counted from 1; this is ${step}.`)
      const addresses = [w, m, v, g].map((t) => sized(t, w.size, where))
      call(where, w.size, ...addresses, learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale)
    },
  }
}
