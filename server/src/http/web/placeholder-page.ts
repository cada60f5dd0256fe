import { createHash } from 'node:crypto'

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 Inter, system-ui, sans-serif }
body { display: grid; place-content: center; justify-items: center; min-height: 90vh; margin: 0 1rem; text-align: center;
  background: light-dark(#fbfaf7, #151412); color: light-dark(#1c1a17, #f4f0e8) }
h1 { font-size: 1.25rem; margin: 1rem 0 0 }
p { color: light-dark(#5f594f, #b5ada0); margin: .25rem 0 }
svg { color: light-dark(#0b6b4f, #74d6ad) }
@media (prefers-reduced-motion: no-preference) { svg { animation: turn 1s ease-in-out infinite }
@keyframes turn { to { transform: rotate(90deg) } } }`

const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'`

const pageOf = (head: string, title: string, text: string) => ({
  policy,
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>Pointwise</title>
<style>${STYLE}</style>
</head>
<body>
<svg viewBox="0 0 24 24" width="48" height="48" aria-hidden="true"><path d="M12 1.5 22.5 12 12 22.5 1.5 12z" fill="currentColor"/></svg>
<h1>${title}</h1>
<p>${text}</p>
</body>
</html>
`,
})

/** Reloads itself every second, without a script. */
export const buildingPage = pageOf(
  '<meta http-equiv="refresh" content="1">\n',
  'The shop is being built',
  'This takes a few seconds. The page reloads by itself.',
)

export const buildFailedPage = pageOf(
  '',
  'The shop could not be built',
  'The API is available. The error is in the server’s terminal.',
)
