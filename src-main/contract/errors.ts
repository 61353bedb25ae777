// The named failures. Each says what happened, where, and what to do next; anything else that is thrown is a Bug.
// They are thrown inside and turned into plain data once, at the door (core.ts), by toWire.

export const failureKinds = [
  'BadFile', // a file cannot be read as what it should be
  'BadExample', // one row, pair or prompt is unusable
  'BadOption', // a setting is out of range, unknown or contradicts another
  'ModelMismatch', // two things that do not belong together: an adapter and a base, a template and a model
  'OutOfMemory',
  'DiskFull',
  'NotFound', // no such record, file or command
  'Busy', // another Temper, run or job holds what is needed
  'Stopped', // the person stopped it: an outcome, not a fault
  'Bug', // ours
] as const
export type FailureKind = (typeof failureKinds)[number]

/** What crosses the door. `next` is a sentence that a person can act on. */
export interface WireFailure {
  kind: FailureKind
  message: string
  where?: string
  next?: string
  /** All problems at once, where a request had several (options). */
  problems?: { where: string; message: string }[]
}

export class Failure extends Error {
  readonly kind: FailureKind
  readonly where: string | undefined
  readonly next: string | undefined
  readonly problems: { where: string; message: string }[] | undefined
  constructor(
    kind: FailureKind,
    message: string,
    more: { where?: string; next?: string; problems?: { where: string; message: string }[]; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = kind
    this.kind = kind
    this.where = more.where
    this.next = more.next
    this.problems = more.problems
  }
}

/** What the file system may refuse through nobody's fault of ours. */
const refusedByDisk: Record<string, string> = {
  EACCES: 'Reading or writing here is not allowed.',
  EPERM: 'Reading or writing here is not allowed.',
  EROFS: 'This disk can only be read.',
  EISDIR: 'This is a folder, not a file.',
  ENOTDIR: 'A part of this path is a file, not a folder.',
}

export function toWire(thrown: unknown): WireFailure {
  if (thrown instanceof Failure) {
    const { kind, message, where, next, problems } = thrown
    return {
      kind,
      message,
      ...(where !== undefined && { where }),
      ...(next !== undefined && { next }),
      ...(problems !== undefined && { problems }),
    }
  }
  const error = thrown as { code?: string; message?: string; path?: string } | null
  if (error?.code === 'ENOSPC' || error?.code === 'SQLITE_FULL')
    return {
      kind: 'DiskFull',
      message: 'The disk is full.',
      where: error.path ?? 'the disk that was written to',
      next: 'Free some space, then try again. Nothing was left half-written.',
    }
  if (error?.code === 'ENOENT')
    return {
      kind: 'NotFound',
      message: 'There is no such file or folder.',
      ...(error.path !== undefined && { where: error.path }),
      next: 'Check the path.',
    }
  if (error?.code !== undefined && Object.hasOwn(refusedByDisk, error.code))
    return {
      kind: 'BadFile',
      message: refusedByDisk[error.code]!,
      ...(error.path !== undefined && { where: error.path }),
      next: 'Choose another place, or change who may read and write this one.',
    }
  return {
    kind: 'Bug',
    message: error?.message ?? String(thrown),
    next: 'This is a fault in Temper. Please report it with what you did before.',
  }
}

export function fromWire(failure: WireFailure): Failure {
  return new Failure(failure.kind, failure.message, failure)
}
