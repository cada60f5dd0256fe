import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Words that the sources and documents do not use, because the field has a standard term, or because they hide who does
 * what. Run this file to list every use: `node test/architecture/banned-words.ts [folder]`.
 */
const BANNED_WORDS: { pattern: RegExp; instead: string }[] = [
  { pattern: /tells?|telling|told/, instead: 'report, return, contain, notify' },
  { pattern: /kept/, instead: 'cached, stored, retained' },
  { pattern: /say|says|said/, instead: 'report, state, describe' },
  { pattern: /whoever/, instead: 'the client, the caller, any …' },
  {
    pattern: /(?<!(?:user|admin|person) )who (?:does|is|was|has|asks|waits|listens|wants|needs|calls)/,
    instead: 'the client that …',
  },
  { pattern: /somebody|someone|nobody|no one/, instead: 'another transaction, no request' },
  { pattern: /(?:hangs?|hung|hanging) up/, instead: 'disconnect, destroy the connection' },
  { pattern: /(?:comes?|came|coming) back/, instead: 'reconnect, return' },
  { pattern: /(?:hands?|handed|handing) (?:it |them |each |these )?(?:on|over|out)/, instead: 'dispatch, pass' },
  { pattern: /nonsense/, instead: 'invalid input' },
  { pattern: /doors?/, instead: 'entry point, middleware' },
  { pattern: /lanes?/, instead: 'fast path, event stream' },
  { pattern: /books?/, instead: 'state, records, accounts' },
  { pattern: /ledgers?/, instead: 'records, findings' },
  { pattern: /in words/, instead: 'as text' },
  { pattern: /a no/, instead: 'a refusal' },
  { pattern: /in vain/, instead: 'without a result' },
  { pattern: /for ever|forever/, instead: 'indefinitely' },
  { pattern: /as \w+ as can be/, instead: 'a number, or "fully"' },
  { pattern: /(?:is|was|are|were|be) had/, instead: 'acquired' },
  { pattern: /ours|of yours/, instead: "the server's" },
  { pattern: /at hand|by hand/, instead: 'available, manually' },
  { pattern: /turn(?:s|ed)? away/, instead: 'rejected' },
  { pattern: /gives? up on/, instead: 'stops waiting for, abandons' },
  { pattern: /anew/, instead: 'again' },
  { pattern: /lest/, instead: 'so that … not' },
  { pattern: /guilty|suspects?|namesakes?|farewell|leash(?:ed|es)?/, instead: 'the standard term' },
]

const PATTERNS = BANNED_WORDS.map(({ pattern, instead }) => ({
  pattern: new RegExp(`\\b(?:${pattern.source})\\b`, 'gi'),
  instead,
}))
/** Matches every line with a banned word, so that the single patterns are tried only on those. */
const ANY_WORD = new RegExp(`\\b(?:${BANNED_WORDS.map(({ pattern }) => pattern.source).join('|')})\\b`, 'i')

/** Literal uses: these phrases, in these files only. */
const ALLOWED: { path: RegExp; phrase: RegExp }[] = [
  { path: /^test\/architecture\/banned-words\.ts$/, phrase: /.*/ },
  // The name of a check in the report of the audit, which is public.
  { path: /^(?:server\/src\/audit|test\/audit|docs)\/|^test\/setup\/invariants\.ts$/, phrase: /(['`])told\1|\btold: / },
  // The name of a store.
  { path: /^test\//, phrase: /'Books'/ },
]

const CHECKED = /\.(?:tsx?|mjs|css|html|md|sql|ya?ml)$|(?:^|\/)(?:Dockerfile|\.env\.example|package\.json|run)$/
const SKIPPED = /(?:^|\/)(?:node_modules|dist|\.git|\.pointwise)(?:\/|$)/

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface BannedWordUse {
  path: string
  line: number
  word: string
  instead: string
  text: string
}

/** Every use of a banned word below the folder, which is relative to the root of the repository. */
export function findBannedWords(folder = ''): BannedWordUse[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => CHECKED.test(path) && !SKIPPED.test(path))
    .toSorted()
    .flatMap((path) => {
      const allowed = ALLOWED.filter((each) => each.path.test(path)).map(({ phrase }) => new RegExp(phrase, 'gi'))
      return readFileSync(join(ROOT, path), 'utf8')
        .split('\n')
        .flatMap((text, index) =>
          usesIn(text, allowed).map((use) => ({ ...use, path, line: index + 1, text: text.trim() })),
        )
    })
}

function usesIn(line: string, allowed: RegExp[]): { word: string; instead: string }[] {
  const withoutAllowed = allowed.reduce((text, phrase) => text.replaceAll(phrase, ''), line)
  // `wasTold` and `WAS_TOLD` contain the word as much as "was told" does.
  const words = withoutAllowed.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').replaceAll('_', ' ')
  if (!ANY_WORD.test(words)) return []
  return PATTERNS.flatMap(({ pattern, instead }) => [...words.matchAll(pattern)].map(([word]) => ({ word, instead })))
}

if (import.meta.main) {
  const uses = findBannedWords(process.argv[2])
  for (const { path, line, word, instead, text } of uses) {
    console.log(`${path}:${line}: "${word}" (${instead}): ${text}`)
  }
  const perFolder = Map.groupBy(uses, ({ path }) => path.split('/').slice(0, -1).slice(0, 3).join('/') || '.')
  for (const [folder, { length }] of perFolder) console.log(`${String(length).padStart(5)} ${folder}`)
}
