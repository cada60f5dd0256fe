import type { Difference } from './contract-differences.ts'

const KINDS = ['none', 'patch', 'minor', 'major'] as const
type Kind = (typeof KINDS)[number]

/** The announcement of a change to the users of the client SDK, of `.changeset/`. */
export interface Changeset {
  kind: Kind
  text: string
}

/** Parses a file of `.changeset/`; of kind `none` if it does not announce a version of the client SDK. */
export function toChangeset(file: string): Changeset {
  const [, head = '', text = ''] = /^---\n([\s\S]*?)---\n([\s\S]*)$/.exec(file) ?? []
  const [, kind = 'none'] = /^["']@pointwise\/client-sdk["']: (\w+)$/m.exec(head) ?? []
  return { kind: KINDS.find((each) => each === kind) ?? 'none', text }
}

/** The step from one version to another, whose changesets have been consumed. It announces every change of its kind. */
export function kindOfStep(before: string, after: string): Kind {
  const [old, now] = [before, after].map((version) => version.split('.').map(Number)) as [number[], number[]]
  const index = now.findIndex((part, position) => part > (old[position] ?? 0))
  return index < 0 ? 'none' : (KINDS[3 - index] ?? 'none')
}

/**
 * Returns what is missing from the changesets. Any change of the contract needs a minor version. A change that breaks clients or
 * consumers needs a major version and the name of what it changes in the text of a major changeset, because another change may
 * have announced the major version.
 */
export function missingAnnouncements(found: Difference[], changesets: Changeset[], step: Kind): string[] {
  if (step === 'major') return []
  const isAnnounced = (kind: Kind) =>
    [step, ...changesets.map((each) => each.kind)].some((each) => isAtLeast(each, kind))
  const majors = changesets.filter(({ kind }) => kind === 'major')
  const broken = found.filter(({ where, breaks }) => breaks && !majors.some(({ text }) => text.includes(nameOf(where))))
  return [
    ...(found.length > 0 && !isAnnounced('minor')
      ? ['npx changeset: @pointwise/client-sdk needs a minor version']
      : []),
    ...broken.map(({ where, what }) => `npx changeset: a major changeset must name ${nameOf(where)}: ${where} ${what}`),
  ]
}

const isAtLeast = (kind: Kind, needed: Kind) => KINDS.indexOf(kind) >= KINDS.indexOf(needed)

/** The procedure, the refusal, the event or the header at which a difference is: `` `order.paid` `` of an event's field. */
function nameOf(where: string): string {
  const [, header, refusal, name] = /^(?:event headers\.([\w-]+)|refusal (\w+)|(?:event )?(\w+\.\w+))/.exec(where) ?? []
  return `\`${header ?? refusal ?? name}\``
}
